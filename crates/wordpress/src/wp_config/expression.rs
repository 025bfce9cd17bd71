//! The value of an expression, as far as it is known without running PHP.

use std::path::Path;

use php_ast::{
    Arg, ArgKind, AssignExpr, AssignOp, BinaryExpr, BinaryOp, CastKind, Expr, ExprKind,
    FunctionCallExpr, MagicConstKind, Name, NameKind, Span, StringPart, TernaryExpr,
    UnaryPrefixExpr, UnaryPrefixOp,
};

use super::run::{Run, SecondFile};
use super::value::{Value, Why};

/// Deeper than anybody writes by hand; chains such as `'a' . 'b' . …` count too.
const MAX_DEPTH: u32 = 400;

/// Functions that write to variables which their call does not name.
const WRITES_VARIABLES: [&str; 4] = ["extract", "parse_str", "settype", "import_request_variables"];

impl Run<'_> {
    pub(super) fn evaluate(&mut self, expr: &Expr<'_, '_>) -> Value {
        if self.depth == MAX_DEPTH {
            return self.unknown(expr.span, "very long expression");
        }
        self.depth += 1;
        let value = self.value(expr);
        self.depth -= 1;
        value
    }

    fn value(&mut self, expr: &Expr<'_, '_>) -> Value {
        match &expr.kind {
            ExprKind::Null => Value::Null,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::String(text) => Value::Str(text.as_bytes().to_vec()),
            ExprKind::Nowdoc { value, .. } => Value::Str(value.as_bytes().to_vec()),
            ExprKind::InterpolatedString(parts) | ExprKind::Heredoc { parts, .. } => {
                self.interpolated(parts, expr.span)
            }
            ExprKind::Variable(name) => self.variable(name, expr.span),
            ExprKind::Name(name) => self.constant(name, expr.span),
            ExprKind::MagicConst(kind) => self.magic(*kind, expr.span),
            ExprKind::Parenthesized(inner) | ExprKind::ErrorSuppress(inner) => self.evaluate(inner),
            ExprKind::Cast(kind, inner) => self.cast(*kind, inner),
            _ => self.operation(expr),
        }
    }

    fn operation(&mut self, expr: &Expr<'_, '_>) -> Value {
        match &expr.kind {
            ExprKind::Assign(it) => self.assign(it),
            ExprKind::Binary(it) => self.binary(it, expr.span),
            ExprKind::UnaryPrefix(it) => self.prefix(it, expr.span),
            ExprKind::UnaryPostfix(it) => {
                self.make_unknown(it.operand, &self.why(expr.span, "arithmetic"));
                self.unknown(expr.span, "arithmetic")
            }
            ExprKind::Ternary(it) => self.ternary(it),
            ExprKind::NullCoalesce(it) => match self.or_null(it.left) {
                Value::Null => self.evaluate(it.right),
                Value::Unknown(why) => self.either(&why, it.right),
                value => value,
            },
            ExprKind::Isset(targets) => self.all_set(targets),
            ExprKind::Empty(target) => self.or_null(target).not(),
            ExprKind::FunctionCall(it) => self.call(it, expr.span),
            ExprKind::Include(_, path) => self.include(path, expr.span),
            ExprKind::Eval(_) => self.anything_happens(expr.span, "`eval`"),
            ExprKind::ArrayAccess(it) => match it.array.name_str() {
                Some(name) => self.unknown(expr.span, &format!("`${name}[…]`")),
                None => self.unknown(expr.span, "array"),
            },
            ExprKind::Array(_) => self.unknown(expr.span, "array"),
            _ => self.unknown(expr.span, "expression"),
        }
    }

    fn interpolated(&mut self, parts: &[StringPart<'_, '_>], span: Span) -> Value {
        let line = self.line(span);
        let empty = Value::Str(Vec::new());
        parts.iter().fold(empty, |text, part| match part {
            StringPart::Literal(literal) => {
                text.concat(Value::Str(literal.as_bytes().to_vec()), line)
            }
            StringPart::Expr(expr) => text.concat(self.evaluate(expr), line),
            _ => self.unknown(span, "text"),
        })
    }

    fn variable(&self, name: &str, span: Span) -> Value {
        match self.variables.get(name) {
            Some(slot) => slot.value.clone(),
            None => self.unknown(span, &format!("`${name}` is not set in this file")),
        }
    }

    fn constant(&self, name: &Name<'_, '_>, span: Span) -> Value {
        let name = plain(name);
        match (self.constants.get(&name), name.as_str()) {
            (Some(slot), _) => slot.value.clone(),
            (None, "DIRECTORY_SEPARATOR") => Value::Str(b"/".to_vec()),
            (None, "PHP_EOL") => Value::Str(b"\n".to_vec()),
            (None, _) => self.unknown(span, &format!("`{name}` is not defined in this file")),
        }
    }

    fn magic(&self, kind: MagicConstKind, span: Span) -> Value {
        let path = |path: &Path| Value::Str(path.as_os_str().as_encoded_bytes().to_vec());
        match (kind, self.world.file.parent()) {
            (MagicConstKind::File, _) => path(self.world.file),
            (MagicConstKind::Dir, Some(folder)) => path(folder),
            (MagicConstKind::Line, _) => Value::Int(self.line(span).into()),
            _ => self.unknown(span, "magic constant"),
        }
    }

    fn cast(&mut self, kind: CastKind, inner: &Expr<'_, '_>) -> Value {
        let value = self.evaluate(inner);
        match (kind, value) {
            (_, Value::Unknown(why)) => Value::Unknown(why),
            (CastKind::String, value) => value.text().map_or_else(Value::Unknown, Value::Str),
            (CastKind::Bool, value) => value.truth().map_or_else(Value::Unknown, Value::Bool),
            (CastKind::Int, Value::Int(value)) => Value::Int(value),
            (CastKind::Int, Value::Bool(value)) => Value::Int(value.into()),
            (CastKind::Int, Value::Str(text)) => {
                int(&text).unwrap_or_else(|| self.unknown(inner.span, "cast"))
            }
            _ => self.unknown(inner.span, "cast"),
        }
    }

    fn assign(&mut self, it: &AssignExpr<'_, '_>) -> Value {
        let line = self.line(it.target.span);
        let value = match it.op {
            AssignOp::Assign => self.evaluate(it.value),
            AssignOp::Concat => self.evaluate(it.target).concat(self.evaluate(it.value), line),
            AssignOp::Coalesce => match self.or_null(it.target) {
                Value::Null => self.evaluate(it.value),
                Value::Unknown(why) => self.either(&why, it.value),
                value => return value,
            },
            _ => self.unknown(it.target.span, "arithmetic"),
        };
        if let (ExprKind::Variable(name), false) = (&it.target.kind, it.by_ref) {
            self.set_variable(name, value.clone(), line);
            return value;
        }
        let why = self.why(it.target.span, "reference or array");
        self.make_unknown(it.target, &why);
        if it.by_ref {
            self.make_unknown(it.value, &why);
        }
        value
    }

    fn binary(&mut self, it: &BinaryExpr<'_, '_>, span: Span) -> Value {
        match it.op {
            BinaryOp::BooleanOr | BinaryOp::LogicalOr => self.short_circuit(it, true),
            BinaryOp::BooleanAnd | BinaryOp::LogicalAnd => self.short_circuit(it, false),
            op => {
                let (left, right) = (self.evaluate(it.left), self.evaluate(it.right));
                let line = self.line(span);
                match op {
                    BinaryOp::Concat => left.concat(right, line),
                    BinaryOp::Identical => left.identical(&right),
                    BinaryOp::NotIdentical => left.identical(&right).not(),
                    BinaryOp::Equal => left.equal(&right, line),
                    BinaryOp::NotEqual => left.equal(&right, line).not(),
                    _ => self.unknown(span, "arithmetic"),
                }
            }
        }
    }

    /// `||` is settled by a true left side, `&&` by a false one; then the right one never runs.
    fn short_circuit(&mut self, it: &BinaryExpr<'_, '_>, settled_by: bool) -> Value {
        let (left, doubt) = match self.evaluate(it.left).truth() {
            Ok(truth) if truth == settled_by => return Value::Bool(settled_by),
            Ok(_) => (None, None),
            Err(why) => (Some(why.clone()), Some(why)),
        };
        let right = match &doubt {
            Some(why) => self.perhaps(why, |run| run.evaluate(it.right)),
            None => self.evaluate(it.right),
        };
        match (left, right.truth()) {
            (_, Ok(truth)) if truth == settled_by => Value::Bool(settled_by),
            (Some(why), _) | (None, Err(why)) => Value::Unknown(why),
            (None, Ok(truth)) => Value::Bool(truth),
        }
    }

    fn prefix(&mut self, it: &UnaryPrefixExpr<'_, '_>, span: Span) -> Value {
        let value = self.evaluate(it.operand);
        match (it.op, value) {
            (UnaryPrefixOp::BooleanNot, value) => value.not(),
            (UnaryPrefixOp::Negate, Value::Int(value)) => Value::Int(value.wrapping_neg()),
            (UnaryPrefixOp::Plus, Value::Int(value)) => Value::Int(value),
            (UnaryPrefixOp::PreIncrement | UnaryPrefixOp::PreDecrement, _) => {
                self.make_unknown(it.operand, &self.why(span, "arithmetic"));
                self.unknown(span, "arithmetic")
            }
            _ => self.unknown(span, "arithmetic"),
        }
    }

    fn ternary(&mut self, it: &TernaryExpr<'_, '_>) -> Value {
        let condition = self.evaluate(it.condition);
        match (condition.truth(), it.then_expr) {
            (Ok(true), Some(then)) => self.evaluate(then),
            (Ok(true), None) => condition,
            (Ok(false), _) => self.evaluate(it.else_expr),
            (Err(why), then) => {
                if let Some(then) = then {
                    self.perhaps(&why, |run| run.evaluate(then));
                }
                self.either(&why, it.else_expr)
            }
        }
    }

    /// Either the value of `expr` or something unknown.
    fn either(&mut self, why: &Why, expr: &Expr<'_, '_>) -> Value {
        self.perhaps(why, |run| run.evaluate(expr));
        Value::Unknown(why.clone())
    }

    fn all_set(&mut self, targets: &[Expr<'_, '_>]) -> Value {
        let mut all = Value::Bool(true);
        for target in targets {
            match self.or_null(target) {
                Value::Null => return Value::Bool(false),
                Value::Unknown(why) => all = Value::Unknown(why),
                _ => {}
            }
        }
        all
    }

    /// The value of `expr`; null for a variable that nothing has set.
    fn or_null(&mut self, expr: &Expr<'_, '_>) -> Value {
        let ExprKind::Variable(name) = &expr.kind else {
            return self.evaluate(expr);
        };
        let is_set = self.variables.contains_key(name.as_str());
        let is_of_php = name.starts_with('_') || matches!(name.as_str(), "GLOBALS" | "argv");
        match &self.elsewhere {
            _ if is_set || is_of_php => self.evaluate(expr),
            Some(why) => Value::Unknown(why.clone()),
            None => Value::Null,
        }
    }

    fn call(&mut self, it: &FunctionCallExpr<'_, '_>, span: Span) -> Value {
        let ExprKind::Name(name) = &it.name.kind else {
            return self.unknown(span, "function call");
        };
        let name = plain(name).to_ascii_lowercase();
        let args: Vec<Value> = it.args.iter().map(|arg| self.argument(arg)).collect();
        match (name.as_str(), args.as_slice()) {
            ("define", args) => self.call_define(args, span),
            ("defined", [Value::Str(name)]) => self.is_defined(&String::from_utf8_lossy(name)),
            ("constant", [Value::Str(name)]) => {
                let slot = self.constants.get(&*String::from_utf8_lossy(name));
                slot.map_or_else(|| self.unknown(span, "`constant`"), |slot| slot.value.clone())
            }
            ("getenv", [Value::Str(name), ..]) => {
                let value = self.world.env.get(&*String::from_utf8_lossy(name));
                value.map_or(Value::Bool(false), |value| Value::Str(value.clone().into_bytes()))
            }
            ("dirname", [Value::Str(path)]) => Value::Str(dirname(path, 1).to_vec()),
            ("dirname", [Value::Str(path), Value::Int(levels)]) => {
                Value::Str(dirname(path, *levels).to_vec())
            }
            (name, _) => self.call_unknown(name, span),
        }
    }

    fn call_define(&mut self, args: &[Value], span: Span) -> Value {
        if let [Value::Str(name), value, ..] = args {
            let name = String::from_utf8_lossy(name);
            return self.define(&name, value.clone(), self.line(span));
        }
        let why = self.why(span, "`define` of a computed name");
        self.elsewhere.get_or_insert(why.clone());
        Value::Unknown(why)
    }

    fn call_unknown(&mut self, name: &str, span: Span) -> Value {
        let why = self.why(span, &format!("function call `{name}`"));
        if WRITES_VARIABLES.contains(&name) {
            self.make_all_unknown(&why);
        }
        Value::Unknown(why)
    }

    fn argument(&mut self, arg: &Arg<'_, '_>) -> Value {
        match (&arg.kind, &arg.name) {
            (ArgKind::Value(expr), None) => self.evaluate(expr),
            _ => self.unknown(arg.span, "named or spread argument"),
        }
    }

    fn include(&mut self, path: &Expr<'_, '_>, span: Span) -> Value {
        let shown = match self.evaluate(path) {
            Value::Str(path) => String::from_utf8_lossy(&path).into_owned(),
            _ => self.text(path.span).chars().take(120).collect(),
        };
        let name = shown.trim_end_matches(['\'', '"', ')', ' ']);
        if name.ends_with("wp-settings.php") {
            return Value::Bool(true);
        }
        let why = self.why(span, &format!("`{shown}` is read"));
        self.second_files.push(SecondFile { line: why.line, path: shown });
        self.elsewhere.get_or_insert(why.clone());
        Value::Unknown(why)
    }

    fn anything_happens(&mut self, span: Span, what: &str) -> Value {
        let why = self.why(span, what);
        self.elsewhere.get_or_insert(why.clone());
        self.make_all_unknown(&why);
        Value::Unknown(why)
    }

    fn why(&self, span: Span, what: &str) -> Why {
        Why { line: self.line(span), what: what.to_owned() }
    }

    fn unknown(&self, span: Span, what: &str) -> Value {
        Value::Unknown(self.why(span, what))
    }
}

/// The name without a leading `\`.
fn plain(name: &Name<'_, '_>) -> String {
    match name.kind() {
        NameKind::FullyQualified => name.to_string_repr().trim_start_matches('\\').to_owned(),
        _ => name.to_string_repr().into_owned(),
    }
}

fn int(text: &[u8]) -> Option<Value> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Value::Int)
}

/// PHP's `dirname()`.
fn dirname(path: &[u8], levels: i64) -> &[u8] {
    (0..levels.clamp(0, 64)).fold(path, |path, _| parent(path))
}

fn parent(path: &[u8]) -> &[u8] {
    let trimmed = without_slashes(path);
    match trimmed.iter().rposition(|b| *b == b'/') {
        None if trimmed.is_empty() && !path.is_empty() => b"/",
        None => b".",
        Some(at) => match without_slashes(&trimmed[..at]) {
            b"" => b"/",
            folder => folder,
        },
    }
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_php_names_them() {
        for (path, levels, want) in [
            ("/srv/www/wp-config.php", 1, "/srv/www"),
            ("/srv/www/wp-config.php", 2, "/srv"),
            ("/srv/www//", 1, "/srv"),
            ("/srv", 1, "/"),
            ("/", 1, "/"),
            ("wp-config.php", 1, "."),
            ("", 1, "."),
            ("/a/b", i64::MAX, "/"),
        ] {
            assert_eq!(dirname(path.as_bytes(), levels), want.as_bytes(), "{path}");
        }
    }
}
