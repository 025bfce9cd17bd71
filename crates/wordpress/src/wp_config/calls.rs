//! Calls of functions, and the files that a wp-config.php reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use php_ast::{
    Arg, ArgKind, ArrowFunctionExpr, ClosureExpr, Expr, ExprKind, FunctionCallExpr, IncludeKind,
    Param, Span, Stmt,
};
use php_rs_parser::bumpalo::Bump;

use super::expression::plain;
use super::run::{Flow, Run};
use super::skipped::Functions;
use super::state::State;
use super::value::{Value, Why};
use super::{disk, functions};

/// Files are read so deep.
const DEEPEST_FILE: usize = 8;

/// Functions call each other so deep.
const DEEPEST_CALL: u32 = 32;

/// Functions that write to variables which their call does not name.
const WRITES_VARIABLES: [&str; 4] = ["extract", "parse_str", "settype", "import_request_variables"];

/// Functions that change their arguments.
const CHANGES_ARGUMENTS: [&str; 20] = [
    "array_pop",
    "array_push",
    "array_shift",
    "array_splice",
    "array_unshift",
    "array_walk",
    "arsort",
    "asort",
    "end",
    "exec",
    "krsort",
    "ksort",
    "next",
    "preg_match",
    "preg_match_all",
    "reset",
    "rsort",
    "shuffle",
    "sort",
    "usort",
];

/// Functions that only keep what they are given, for later.
const KEEPS: [&str; 5] = [
    "register_shutdown_function",
    "set_error_handler",
    "set_exception_handler",
    "spl_autoload_register",
    "ob_start",
];

/// What is called.
struct Body<'s, 'p> {
    params: &'s [Param<'p, 'p>],
    body: &'s [Stmt<'p, 'p>],
}

impl Run<'_> {
    pub(super) fn call(&mut self, it: &FunctionCallExpr<'_, '_>, span: Span) -> Value {
        let name = match &it.name.kind {
            ExprKind::Name(name) => plain(name).to_ascii_lowercase(),
            ExprKind::Parenthesized(inner) => match &inner.kind {
                ExprKind::Closure(closure) => return self.call_closure(closure, &it.args, span),
                ExprKind::ArrowFunction(arrow) => return self.call_arrow(arrow, &it.args, span),
                _ => {
                    self.evaluate(inner);
                    return self.anything_is_called(span, "function call");
                }
            },
            _ => match self.evaluate(it.name) {
                Value::Str(name) => String::from_utf8_lossy(&name).to_ascii_lowercase(),
                _ => return self.anything_is_called(span, "function call"),
            },
        };
        if let ("call_user_func", Some(first)) = (name.as_str(), it.args.first()) {
            let rest = it.args.get(1..).unwrap_or_default();
            match first.value().map(|it| &it.kind) {
                Some(ExprKind::Closure(closure)) => return self.call_closure(closure, rest, span),
                Some(ExprKind::ArrowFunction(arrow)) => return self.call_arrow(arrow, rest, span),
                _ => (),
            }
        }
        let args: Vec<Value> = it.args.iter().map(|arg| self.argument(arg)).collect();
        if let ("call_user_func", [Value::Str(name), rest @ ..]) = (name.as_str(), args.as_slice())
        {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            return self.call_named(&name, rest, it, span);
        }
        self.call_named(&name, &args, it, span)
    }

    fn call_named(
        &mut self,
        name: &str,
        args: &[Value],
        it: &FunctionCallExpr<'_, '_>,
        span: Span,
    ) -> Value {
        match (name, args) {
            ("define", args) => return self.call_define(args, span),
            ("defined", [Value::Str(name)]) => {
                return self.is_defined(&String::from_utf8_lossy(name), span);
            }
            ("spl_autoload_register", _) => self.state.skipped.autoloads = true,
            ("chdir" | "set_include_path" | "ini_set", args) => {
                let is_path = |it: &Value| matches!(it, Value::Str(it) if it == b"include_path");
                if name != "ini_set" || args.first().is_some_and(is_path) {
                    self.state.other_folders.get_or_insert(self.why(span, name));
                }
            }
            (name, _) if name.contains("::") => {
                return self.anything_is_called(span, &format!("function call `{name}`"));
            }
            ("constant", [Value::Str(name)]) => {
                return self.constant_named(&String::from_utf8_lossy(name), span);
            }
            ("getenv", [Value::Str(name), ..]) => {
                return self.state.env(&String::from_utf8_lossy(name));
            }
            ("putenv", [setting]) => return self.put_env(setting, span),
            ("function_exists", [Value::Str(name)]) => {
                return self.is_function(&String::from_utf8_lossy(name).to_ascii_lowercase(), span);
            }
            ("file_get_contents", [path]) => {
                if let Some(path) = disk::absolute(path) {
                    return match disk::content(&path) {
                        Ok(Some(content)) => Value::Str(content),
                        Ok(None) => Value::Bool(false),
                        Err(what) => self.unknown(span, &what),
                    };
                }
            }
            ("is_callable" | "class_exists", _) => return self.unknown(span, "what PHP has"),
            (_, [path]) => {
                if let Some(answer) = self.ask_the_disk(name, path, span) {
                    return answer;
                }
            }
            _ => (),
        }
        if let Some(value) = functions::call(name, args) {
            return value;
        }
        if let Some(function) = self.functions.get(name) {
            let body = Body { params: &function.params, body: &function.body.stmts };
            if function.params.iter().any(|param| param.by_ref) {
                let why = self.why(span, "a function that takes references");
                let targets = it.args.iter().filter_map(Arg::value);
                targets.for_each(|target| self.make_unknown(target, &why));
            }
            if self.state.is_declared_in(name, &self.file) {
                return self.call_body(&body, args, &[], span);
            }
            return self.anything_is_called(span, &format!("function call `{name}`"));
        }
        if self.state.is_declared(name) != Some(false) || self.functions.has(name) {
            return self.anything_is_called(span, &format!("function call `{name}`"));
        }
        self.call_unknown(name, it, args, span)
    }

    /// A function of PHP that we do not know.
    fn call_unknown(
        &mut self,
        name: &str,
        it: &FunctionCallExpr<'_, '_>,
        args: &[Value],
        span: Span,
    ) -> Value {
        let what = format!("function call `{name}`");
        let makes_one = |arg: &Arg<'_, '_>| arg.value().is_some_and(is_callable);
        let calls_back =
            || it.args.iter().any(makes_one) || args.iter().any(|arg| self.names_a_function(arg));
        if !functions::is_known(name) && !KEEPS.contains(&name) && calls_back() {
            return self.anything_is_called(span, &what);
        }
        let names = |function: &[u8]| {
            let is_it =
                |arg: &Value| matches!(arg, Value::Str(it) if it.eq_ignore_ascii_case(function));
            args.iter().any(is_it)
        };
        if names(b"define") {
            return self.anything_happens(span, &what);
        }
        if names(b"putenv") {
            self.state.lose_env(&self.why(span, &what));
        }
        let why = self.why(span, &what);
        if WRITES_VARIABLES.contains(&name) {
            self.state.set_any_variable(&why);
        }
        if CHANGES_ARGUMENTS.contains(&name) {
            let targets = it.args.iter().filter_map(Arg::value);
            targets.for_each(|target| self.make_unknown(target, &why));
        }
        // What is not known of its arguments says more than the name of the function.
        let argument = args.iter().find_map(Value::unknown).filter(|_| functions::is_known(name));
        Value::Unknown(argument.cloned().unwrap_or(why))
    }

    /// Code runs that was skipped: what its functions and classes define may be defined now.
    pub(super) fn anything_is_called(&mut self, span: Span, what: &str) -> Value {
        let why = self.why(span, what);
        let names = self.state.skipped.defines.clone();
        self.state.perhaps_define(names, &why);
        if self.state.skipped.defines_any {
            return self.anything_happens(span, what);
        }
        if self.state.skipped.sets_env {
            self.state.lose_env(&why);
        }
        if self.state.skipped.sets_globals {
            self.state.set_any_variable(&why);
        }
        self.state.make_all_unknown(&why);
        Value::Unknown(why)
    }

    fn names_a_function(&self, value: &Value) -> bool {
        let name = match value {
            Value::Str(name) => String::from_utf8_lossy(name).to_ascii_lowercase(),
            // `['Class', 'method']`
            Value::Array(array) => {
                return !self.state.classes.is_empty() && array.elements().len() == 2;
            }
            _ => return false,
        };
        name.contains("::")
            || self.functions.has(&name)
            || self.state.is_declared(&name) != Some(false)
    }

    fn is_defined(&self, name: &str, span: Span) -> Value {
        let of_php = ["PHP_", "E_", "M_", "STD", "LC_", "LOCK_", "SORT_", "INI_"];
        match self.state.is_defined(name) {
            Value::Bool(false) if functions::constant(name).is_some() => Value::Bool(true),
            Value::Bool(false) if of_php.iter().any(|head| name.starts_with(head)) => {
                self.unknown(span, "what PHP has")
            }
            value => value,
        }
    }

    fn is_function(&mut self, name: &str, span: Span) -> Value {
        match (self.state.is_declared(name), &self.state.elsewhere) {
            (Some(true), _) => Value::Bool(true),
            (Some(false), None) if self.functions.has(name) => Value::Bool(false),
            (_, Some(why)) => Value::Unknown(why.clone()),
            _ if functions::is_known(name) => Value::Bool(true),
            _ => self.unknown(span, &format!("whether PHP has `{name}`")),
        }
    }

    fn call_define(&mut self, args: &[Value], span: Span) -> Value {
        let at = self.why(span, "`define` of a computed name");
        if let [Value::Str(name), value, ..] = args {
            let name = String::from_utf8_lossy(name);
            return self.state.define(&name, value.clone(), &at);
        }
        self.state.lose_track(&at);
        Value::Unknown(at)
    }

    fn put_env(&mut self, setting: &Value, span: Span) -> Value {
        let text = match setting {
            Value::Str(text) => std::str::from_utf8(text).ok(),
            _ => None,
        };
        let Some(text) = text else {
            let why = self.why(span, "`putenv`");
            self.state.lose_env(&why);
            return Value::Unknown(why);
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Value::Str(value.as_bytes().to_vec())),
            None => (text, Value::Bool(false)),
        };
        self.state.set_env(name, value);
        Value::Bool(true)
    }

    /// A condition on a file.
    fn ask_the_disk(&mut self, name: &str, path: &Value, span: Span) -> Option<Value> {
        let path = disk::absolute(path)?;
        let answer = match disk::ask(name, &path)? {
            Ok(answer) => answer,
            Err(what) => return Some(self.unknown(span, &what)),
        };
        let Why { line, .. } = self.why(span, "");
        let question = format!("{name}('{}')", path.display());
        let decided = disk::Decided { file: self.file.to_path_buf(), line, question, answer };
        if !self.state.decided.contains(&decided) {
            self.state.decided.push(decided);
        }
        Some(Value::Bool(answer))
    }

    fn argument(&mut self, arg: &Arg<'_, '_>) -> Value {
        match (&arg.kind, &arg.name) {
            (ArgKind::Value(expr), None) if is_callable(expr) => self.unknown(arg.span, "function"),
            (ArgKind::Value(expr), None) => self.evaluate(expr),
            _ => self.unknown(arg.span, "named or spread argument"),
        }
    }

    fn call_closure(
        &mut self,
        it: &ClosureExpr<'_, '_>,
        args: &[Arg<'_, '_>],
        span: Span,
    ) -> Value {
        if it.use_vars.iter().any(|used| used.by_ref) {
            return self.anything_is_called(span, "a closure that takes a reference");
        }
        let args: Vec<Value> = args.iter().map(|arg| self.argument(arg)).collect();
        let used: Vec<(String, Value)> = it
            .use_vars
            .iter()
            .filter_map(|used| {
                let name = used.name.or_error();
                Some((name.to_owned(), self.state.variable(name)?.value.clone()))
            })
            .collect();
        let body = Body { params: &it.params, body: &it.body.stmts };
        self.call_body(&body, &args, &used, span)
    }

    fn call_arrow(
        &mut self,
        it: &ArrowFunctionExpr<'_, '_>,
        args: &[Arg<'_, '_>],
        span: Span,
    ) -> Value {
        if !it.params.is_empty() || !args.is_empty() {
            return self.anything_is_called(span, "an arrow function");
        }
        self.evaluate(it.body)
    }

    fn call_body(
        &mut self,
        it: &Body<'_, '_>,
        args: &[Value],
        used: &[(String, Value)],
        span: Span,
    ) -> Value {
        if it.params.iter().any(|param| param.by_ref || param.variadic) {
            return self.anything_is_called(span, "a function that takes references or a list");
        }
        if self.state.calls == DEEPEST_CALL {
            return self.anything_happens(span, "very deep calls");
        }
        self.state.calls += 1;
        let left = self.state.left.take();
        self.state.enter();
        let line = self.why(span, "").line;
        for (place, param) in it.params.iter().enumerate() {
            let value = match (args.get(place), &param.default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.evaluate(default),
                (None, None) => self.unknown(span, "missing argument"),
            };
            self.state.bind(param.name.or_error(), value, line);
        }
        for (name, value) in used {
            self.state.bind(name, value.clone(), line);
        }
        let flow = self.statements(it.body);
        self.state.exit();
        let perhaps = std::mem::replace(&mut self.state.left, left);
        self.state.calls -= 1;
        match (perhaps, flow) {
            (Some((why, _)), _) => Value::Unknown(why),
            (None, Flow::Returns(value)) => value,
            (None, Flow::Ends) => {
                self.state.ended |= self.state.unsure.is_none();
                self.unknown(span, "PHP ends there")
            }
            (None, _) => Value::Null,
        }
    }

    pub(super) fn include(&mut self, kind: IncludeKind, path: &Expr<'_, '_>, span: Span) -> Value {
        let value = self.evaluate(path);
        let shown = match &value {
            Value::Str(path) => String::from_utf8_lossy(path).into_owned(),
            _ => self.text(path.span).chars().take(120).collect(),
        };
        let name = shown.trim_end_matches(['\'', '"', ')', ' ']);
        if name.ends_with("wp-settings.php") {
            return Value::Bool(true);
        }
        let needed = matches!(kind, IncludeKind::Require | IncludeKind::RequireOnce);
        let once = matches!(kind, IncludeKind::IncludeOnce | IncludeKind::RequireOnce);
        let found =
            self.place_of(&value).ok_or_else(|| "its path is only known when PHP runs".to_owned());
        let followed = found.and_then(|path| {
            let path = disk::resolved(&path);
            if self.state.following.contains(&path) || once && self.state.followed.contains(&path) {
                return Ok(Value::Bool(true));
            }
            match disk::content(&path)? {
                Some(bytes) => self.follow(&path, &bytes),
                None if needed => Err("it is not there".to_owned()),
                None => Ok(Value::Bool(false)),
            }
        });
        followed.unwrap_or_else(|why_not| {
            self.anything_happens(span, &format!("`{shown}` is read, and {why_not}"))
        })
    }

    /// Where a file is. One without a folder is looked for beside the file that reads it: PHP
    /// looks there last, and the folders before depend on where it was started.
    fn place_of(&self, path: &Value) -> Option<PathBuf> {
        if let Some(path) = disk::absolute(path) {
            return Some(path);
        }
        let Value::Str(path) = path else { return None };
        let path = std::str::from_utf8(path).ok().filter(|path| !path.is_empty())?;
        let beside = self.file.parent()?.join(path);
        // PHP is mostly started where the wp-config.php is.
        let first = self.state.following.first()?.parent()?.join(path);
        let is_sure = first == beside || !first.is_file();
        let is_there = !path.starts_with('.') && beside.is_file();
        (is_sure && is_there && self.state.other_folders.is_none()).then_some(beside)
    }

    /// Follow a file that is read here: its constants and variables count.
    fn follow(&mut self, path: &Path, bytes: &[u8]) -> Result<Value, String> {
        if DEEPEST_FILE < self.state.following.len() {
            return Err("it is read too deep".to_owned());
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        self.state.followed.insert(path.to_owned());
        self.state.following.push(path.to_owned());
        let value = self.follow_text(Arc::from(path), &String::from_utf8_lossy(bytes));
        self.state.following.pop();
        value
    }

    /// `eval($code)`
    pub(super) fn evaluate_code(&mut self, code: &Expr<'_, '_>, span: Span) -> Value {
        let Value::Str(code) = self.evaluate(code) else {
            return self.anything_happens(span, "`eval`");
        };
        let source = format!("<?php {}", String::from_utf8_lossy(&code));
        let value = self.follow_text(Arc::clone(&self.file), &source);
        value.unwrap_or_else(|_| self.anything_happens(span, "`eval`"))
    }

    fn follow_text(&mut self, file: Arc<Path>, source: &str) -> Result<Value, String> {
        let arena = Bump::new();
        let parsed = php_rs_parser::parse_arena(&arena, source);
        if let Some(error) = parsed.errors.first() {
            return Err(format!("it is not valid PHP: {error}"));
        }
        let functions = Functions::of(&parsed.program);
        self.state.read_functions(&functions, &file);
        let state = std::mem::replace(&mut self.state, State::new(&BTreeMap::new()));
        let mut run = Run {
            file,
            is_main: false,
            source,
            lines: &parsed.source_map,
            functions: &functions,
            state,
        };
        let left = run.state.left.take();
        let in_namespace = std::mem::take(&mut run.state.in_namespace);
        let flow = run.statements(&parsed.program.stmts);
        let perhaps = std::mem::replace(&mut run.state.left, left);
        run.state.in_namespace = in_namespace;
        std::mem::swap(&mut self.state, &mut run.state);
        drop(run);
        Ok(match (perhaps, flow) {
            (Some((why, _)), _) => Value::Unknown(why),
            (None, Flow::Returns(value)) => value,
            (None, flow) => {
                self.state.ended |= flow == Flow::Ends && self.state.unsure.is_none();
                Value::Int(1)
            }
        })
    }
}

/// Whether `expr` makes a function.
fn is_callable(expr: &Expr<'_, '_>) -> bool {
    matches!(
        expr.kind,
        ExprKind::Closure(_) | ExprKind::ArrowFunction(_) | ExprKind::CallableCreate(_)
    )
}
