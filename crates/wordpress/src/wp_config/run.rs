//! Follows the statements of a wp-config.php without running anything.
//!
//! What is certain gets its value; what depends on a function, another file or a condition that
//! cannot be decided becomes [`Value::Unknown`] with the line that makes it so. Nothing is ever
//! guessed: a branch that may or may not run makes all that it sets unknown.

use std::collections::BTreeMap;
use std::path::Path;

use php_ast::{
    ArrayElement, ConstItem, Expr, ExprKind, IfStmt, NamespaceBody, Span, Stmt, StmtKind,
};
use php_rs_parser::source_map::SourceMap;

use super::value::{Value, Why};

/// Where a file is, and the environment that PHP would see.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) file: &'a Path,
    /// WordPress' folder, where known: `wp-load.php` defines `ABSPATH` before our file runs.
    pub(super) root: Option<&'a Path>,
    pub(super) env: &'a BTreeMap<String, String>,
}

/// A name that was given a value.
pub(super) struct Slot {
    pub(super) value: Value,
    pub(super) line: u32,
    /// Whether it certainly has one, even if it is unknown which.
    sure: bool,
}

/// A file that ours reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFile {
    /// The line that reads it.
    pub line: u32,
    /// Its path, or the expression that makes it.
    pub path: String,
}

/// Whether the next statement is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Goes,
    Ends,
}

/// The state of PHP's globals at a point of the file.
pub(super) struct Run<'a> {
    pub(super) world: World<'a>,
    pub(super) source: &'a str,
    pub(super) lines: &'a SourceMap,
    pub(super) constants: BTreeMap<String, Slot>,
    pub(super) variables: BTreeMap<String, Slot>,
    pub(super) second_files: Vec<SecondFile>,
    /// Why it is not certain that the present statement runs.
    pub(super) unsure: Option<Why>,
    /// What may have defined any constant, such as a second file.
    pub(super) elsewhere: Option<Why>,
    pub(super) depth: u32,
}

impl<'a> Run<'a> {
    pub(super) fn new(world: World<'a>, source: &'a str, lines: &'a SourceMap) -> Self {
        let mut run = Self {
            world,
            source,
            lines,
            constants: BTreeMap::new(),
            variables: BTreeMap::new(),
            second_files: Vec::new(),
            unsure: None,
            elsewhere: None,
            depth: 0,
        };
        if let Some(root) = world.root {
            let mut path = root.as_os_str().as_encoded_bytes().to_vec();
            path.push(b'/');
            run.define("ABSPATH", Value::Str(path), 0);
        }
        run
    }

    pub(super) fn statements(&mut self, statements: &[Stmt<'_, '_>]) -> Flow {
        let mut left = statements.iter();
        if left.any(|statement| self.statement(statement) == Flow::Ends) {
            Flow::Ends
        } else {
            Flow::Goes
        }
    }

    fn statement(&mut self, statement: &Stmt<'_, '_>) -> Flow {
        match &statement.kind {
            StmtKind::Expression(expr) => return self.expression_statement(expr),
            StmtKind::Block(block) => return self.statements(&block.stmts),
            StmtKind::If(branches) => return self.branches(branches),
            StmtKind::Return(_) | StmtKind::Throw(_) | StmtKind::HaltCompiler(_) => {
                return Flow::Ends;
            }
            StmtKind::Const(items) => self.const_items(items),
            StmtKind::Unset(targets) => targets.iter().for_each(|it| self.forget(it)),
            StmtKind::Namespace(it) => {
                if let NamespaceBody::Braced(block) = &it.body {
                    return self.statements(&block.stmts);
                }
            }
            StmtKind::Declare(it) => {
                return it.body.map_or(Flow::Goes, |body| self.statement(body));
            }
            _ => self.repeated(statement),
        }
        Flow::Goes
    }

    /// What runs any number of times, or until something is thrown.
    fn repeated(&mut self, statement: &Stmt<'_, '_>) {
        let why = |what: &str| Why { line: self.line(statement.span), what: what.to_owned() };
        let (why, bodies): (Why, Vec<&[Stmt<'_, '_>]>) = match &statement.kind {
            StmtKind::While(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::For(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::DoWhile(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::Foreach(it) => {
                let why = why("loop");
                let targets = it.key.iter().chain([&it.value]);
                targets.for_each(|target| self.make_unknown(target, &why));
                (why, vec![std::slice::from_ref(it.body)])
            }
            StmtKind::Switch(it) => {
                (why("`switch`"), it.body.cases.iter().map(|case| &*case.body).collect())
            }
            StmtKind::TryCatch(it) => {
                let catches = it.catches.iter().map(|catch| &*catch.body.stmts);
                let finally = it.finally.iter().map(|block| &*block.stmts);
                (
                    why("`try`"),
                    [&*it.body.stmts].into_iter().chain(catches).chain(finally).collect(),
                )
            }
            _ => return,
        };
        for body in bodies {
            self.perhaps(&why, |run| run.statements(body));
        }
    }

    fn expression_statement(&mut self, expr: &Expr<'_, '_>) -> Flow {
        if matches!(expr.kind, ExprKind::Exit(_) | ExprKind::Throw(_)) {
            return Flow::Ends;
        }
        self.evaluate(expr);
        Flow::Goes
    }

    fn branches(&mut self, it: &IfStmt<'_, '_>) -> Flow {
        let first = [(Some(&it.condition), it.then_branch)];
        let middle = it.elseif_branches.iter().map(|it| (Some(&it.condition), &it.body));
        let last = it.else_branch.map(|body| (None, body));
        let mut doubt = None;
        for (condition, body) in first.into_iter().chain(middle).chain(last) {
            let truth = match condition {
                Some(condition) => self.perhaps_if(doubt.as_ref(), |run| run.evaluate(condition)),
                None => Value::Bool(true),
            };
            match truth.truth() {
                Ok(false) => {}
                Ok(true) => {
                    let flow = self.perhaps_if(doubt.as_ref(), |run| run.statement(body));
                    // An end that may not be reached does not count: WordPress does run somehow.
                    return if doubt.is_some() { Flow::Goes } else { flow };
                }
                Err(why) => {
                    self.perhaps(&why, |run| run.statement(body));
                    doubt.get_or_insert(why);
                }
            }
        }
        Flow::Goes
    }

    fn const_items(&mut self, items: &[ConstItem<'_, '_>]) {
        for item in items {
            let value = self.evaluate(&item.value);
            self.define(item.name.or_error(), value, self.line(item.span));
        }
    }

    /// Do something that PHP may or may not do.
    pub(super) fn perhaps<T>(&mut self, why: &Why, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.unsure.clone();
        self.unsure.get_or_insert_with(|| why.clone());
        let result = act(self);
        self.unsure = before;
        result
    }

    fn perhaps_if<T>(&mut self, doubt: Option<&Why>, act: impl FnOnce(&mut Self) -> T) -> T {
        match doubt {
            Some(why) => self.perhaps(why, act),
            None => act(self),
        }
    }

    /// Define a constant; the first definition wins. Whether this was the first.
    pub(super) fn define(&mut self, name: &str, value: Value, line: u32) -> Value {
        let sure = self.unsure.is_none();
        let value = self.unsure.clone().map_or(value, Value::Unknown);
        let Some(slot) = self.constants.get_mut(name) else {
            self.constants.insert(name.to_owned(), Slot { value, line, sure });
            return Value::Bool(true);
        };
        if slot.sure {
            return Value::Bool(false);
        }
        // Perhaps defined before: which of the two counts is unknown.
        slot.sure = sure;
        slot.value.clone()
    }

    /// `defined('NAME')`
    pub(super) fn is_defined(&self, name: &str) -> Value {
        match (self.constants.get(name), &self.elsewhere) {
            (Some(slot), _) if slot.sure => Value::Bool(true),
            (Some(slot), _) => slot.value.clone(),
            (None, Some(why)) => Value::Unknown(why.clone()),
            (None, None) => Value::Bool(false),
        }
    }

    pub(super) fn set_variable(&mut self, name: &str, value: Value, line: u32) {
        let sure = self.unsure.is_none();
        let value = self.unsure.clone().map_or(value, Value::Unknown);
        self.variables.insert(name.to_owned(), Slot { value, line, sure });
    }

    fn forget(&mut self, target: &Expr<'_, '_>) {
        if let (ExprKind::Variable(name), None) = (&target.kind, &self.unsure) {
            self.variables.remove(name.as_str());
        } else {
            let why = Why { line: self.line(target.span), what: "`unset`".to_owned() };
            self.make_unknown(target, &why);
        }
    }

    /// The variables that `target` writes to get an unknown value.
    pub(super) fn make_unknown(&mut self, target: &Expr<'_, '_>, why: &Why) {
        match &target.kind {
            ExprKind::Variable(name) => {
                self.set_variable(name, Value::Unknown(why.clone()), why.line);
            }
            ExprKind::ArrayAccess(it) => self.make_unknown(it.array, why),
            ExprKind::Array(elements) => {
                elements.iter().map(ArrayElement::value).for_each(|it| self.make_unknown(it, why));
            }
            ExprKind::VariableVariable(_) => self.make_all_unknown(why),
            _ => {}
        }
    }

    /// Something wrote to unknown variables.
    pub(super) fn make_all_unknown(&mut self, why: &Why) {
        for slot in self.variables.values_mut() {
            slot.value = Value::Unknown(why.clone());
        }
    }

    pub(super) fn line(&self, span: Span) -> u32 {
        self.lines.offset_to_line_col(span.start).to_one_based().0
    }

    pub(super) fn text(&self, span: Span) -> &'a str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}
