//! Follows the statements of a wp-config.php without running anything.
//!
//! What is certain gets its value; what depends on a function, a file that cannot be followed or a
//! condition that cannot be decided becomes [`Value::Unknown`] with the place that makes it so.
//! Nothing is ever guessed: a branch that may or may not run makes all that it sets unknown.

use std::path::Path;
use std::sync::Arc;

use php_ast::{
    ArrayElement, ConstItem, Expr, ExprKind, IfStmt, NamespaceBody, Span, Stmt, StmtKind,
};
use php_rs_parser::source_map::SourceMap;

use super::expression::is_of_php;
use super::skipped::Functions;
use super::state::{Left, Slot, State};
use super::value::{Value, Why};
use super::written;

/// So many statements and expressions are followed: a loop in a loop does not keep us waiting.
const MOST_STEPS: u32 = 200_000;

/// One file as it is followed, and the state of PHP's globals at a point of it.
pub(super) struct Run<'a> {
    pub(super) file: Arc<Path>,
    /// Whether that is the wp-config.php itself.
    pub(super) is_main: bool,
    pub(super) source: &'a str,
    pub(super) lines: &'a SourceMap,
    /// The functions that this file declares.
    pub(super) functions: &'a Functions<'a>,
    pub(super) state: State,
}

/// Where a statement leads.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next one.
    Goes,
    /// PHP ends.
    Ends,
    /// Out of the function, or of the file.
    Returns(Value),
    /// Out of so many loops.
    Breaks(i64),
    /// To the next turn of the last of so many loops.
    Continues(i64),
}

impl Run<'_> {
    pub(super) fn statements(&mut self, statements: &[Stmt<'_, '_>]) -> Flow {
        for statement in statements {
            let left = self.state.left.as_ref().map(|(why, _)| why.clone());
            let flow = self.perhaps_if(left.as_ref(), |run| run.statement(statement));
            if flow != Flow::Goes {
                return flow;
            }
        }
        Flow::Goes
    }

    fn statement(&mut self, statement: &Stmt<'_, '_>) -> Flow {
        self.state.steps += 1;
        if MOST_STEPS < self.state.steps {
            self.anything_happens(statement.span, "very many steps");
            return Flow::Ends;
        }
        match &statement.kind {
            StmtKind::Expression(expr) => return self.expression_statement(expr),
            StmtKind::Block(block) => return self.statements(&block.stmts),
            StmtKind::If(branches) => return self.branches(branches),
            StmtKind::Return(value) => {
                let value = value.map_or(Value::Null, |value| self.evaluate(value));
                return Flow::Returns(value);
            }
            StmtKind::HaltCompiler(_) if !self.is_main => return Flow::Returns(Value::Int(1)),
            StmtKind::Throw(_) | StmtKind::HaltCompiler(_) => return Flow::Ends,
            StmtKind::Break(levels) => return Flow::Breaks(level(*levels)),
            StmtKind::Continue(levels) => return Flow::Continues(level(*levels)),
            StmtKind::Const(items) => self.const_items(items),
            StmtKind::Unset(targets) => targets.iter().for_each(|it| self.forget(it)),
            StmtKind::Global(targets) => targets.iter().for_each(|it| self.link(it)),
            StmtKind::StaticVar(variables) => {
                for it in variables.iter() {
                    let why = self.why(it.span, "`static` variable");
                    self.set_variable(it.name.or_error(), Value::Unknown(why.clone()), why.line);
                }
            }
            StmtKind::Echo(values) => values.iter().for_each(|it| _ = self.evaluate(it)),
            StmtKind::Function(it) => self.state.declare(it.name.or_error(), &self.file),
            StmtKind::Namespace(it) => {
                self.state.in_namespace = it.name.is_some();
                if let NamespaceBody::Braced(block) = &it.body {
                    return self.statements(&block.stmts);
                }
            }
            StmtKind::Declare(it) => {
                return it.body.map_or(Flow::Goes, |body| self.statement(body));
            }
            StmtKind::InlineHtml(text) if has_short_tag(text) => {
                self.anything_happens(statement.span, "a short open tag, `<?`");
            }
            StmtKind::Goto(_) => {
                let why = self.why(statement.span, "`goto`");
                self.state.leave(&why, Left::Function);
            }
            _ => return self.repeated(statement),
        }
        Flow::Goes
    }

    /// What runs any number of times, or until something is thrown.
    fn repeated(&mut self, statement: &Stmt<'_, '_>) -> Flow {
        let why = |what: &str| self.why(statement.span, what);
        let (why, bodies): (Why, Vec<&[Stmt<'_, '_>]>) = match &statement.kind {
            StmtKind::While(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::For(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::DoWhile(it) => (why("loop"), vec![std::slice::from_ref(it.body)]),
            StmtKind::Foreach(it) => {
                let over = self.evaluate(&it.expr);
                if let (Value::Array(array), false) = (&over, it.by_ref) {
                    let left = self.state.left.clone();
                    for (key, value) in array.elements() {
                        if let Some(target) = &it.key {
                            self.assign_to(target, key.value());
                        }
                        self.assign_to(&it.value, value.clone());
                        match self.statements(std::slice::from_ref(it.body)) {
                            Flow::Goes | Flow::Continues(1) => (),
                            Flow::Breaks(1) => break,
                            flow => return flow.out_of_a_loop(),
                        }
                    }
                    self.state.leave_loop(left);
                    return Flow::Goes;
                }
                let why = self.why(statement.span, "loop");
                if it.by_ref {
                    self.make_unknown(&it.expr, &why);
                }
                let targets = it.key.iter().chain([&it.value]);
                targets.for_each(|target| self.make_unknown(target, &why));
                (why, vec![std::slice::from_ref(it.body)])
            }
            StmtKind::Switch(it) => {
                let subject = self.evaluate(&it.expr);
                let at = self.why(statement.span, "`switch`");
                let place = |_: &str| at.clone();
                let mut starts = Vec::new();
                for case in it.body.cases.iter() {
                    let is_it = case
                        .value
                        .as_ref()
                        .map(|value| self.evaluate(value).equal(&subject, &place).truth().ok());
                    starts.push(is_it);
                }
                let bodies: Vec<&[Stmt<'_, '_>]> =
                    it.body.cases.iter().map(|case| &*case.body).collect();
                if !starts.contains(&Some(None)) {
                    let start = starts.iter().position(|it| *it == Some(Some(true)));
                    let start = start.or_else(|| starts.iter().position(Option::is_none));
                    return self.cases(bodies.get(start.unwrap_or(bodies.len())..).unwrap_or(&[]));
                }
                (at, bodies)
            }
            StmtKind::TryCatch(it) => {
                let catches = it.catches.iter().map(|catch| &*catch.body.stmts);
                let finally = it.finally.iter().map(|block| &*block.stmts);
                (
                    why("`try`"),
                    [&*it.body.stmts].into_iter().chain(catches).chain(finally).collect(),
                )
            }
            _ => return Flow::Goes,
        };
        if !matches!(statement.kind, StmtKind::Switch(_) | StmtKind::TryCatch(_)) {
            // In a later turn they are what an earlier one made of them.
            for name in written::variables(statement) {
                self.lose_variable(&name, &why);
            }
        }
        for body in bodies {
            let flow = self.perhaps(&why, |run| run.statements(body));
            if let Flow::Returns(_) = flow {
                self.state.leave(&why, Left::Function);
            }
        }
        Flow::Goes
    }

    /// The bodies of a `switch` from the case that counts on.
    fn cases(&mut self, bodies: &[&[Stmt<'_, '_>]]) -> Flow {
        let left = self.state.left.clone();
        for body in bodies {
            match self.statements(body) {
                Flow::Goes => (),
                Flow::Breaks(1) | Flow::Continues(1) => break,
                flow => return flow.out_of_a_loop(),
            }
        }
        self.state.leave_loop(left);
        Flow::Goes
    }

    fn expression_statement(&mut self, expr: &Expr<'_, '_>) -> Flow {
        if matches!(expr.kind, ExprKind::Exit(_) | ExprKind::Throw(_)) {
            return Flow::Ends;
        }
        self.evaluate(expr);
        if self.state.ended { Flow::Ends } else { Flow::Goes }
    }

    fn branches(&mut self, it: &IfStmt<'_, '_>) -> Flow {
        let first = [(Some(&it.condition), it.then_branch)];
        let middle = it.elseif_branches.iter().map(|it| (Some(&it.condition), &it.body));
        let last = it.else_branch.map(|body| (None, body));
        let mut doubt: Option<Why> = None;
        for (condition, body) in first.into_iter().chain(middle).chain(last) {
            let truth = match condition {
                Some(condition) => self.perhaps_if(doubt.as_ref(), |run| run.evaluate(condition)),
                None => Value::Bool(true),
            };
            match truth.truth() {
                Ok(false) => {}
                Ok(true) => {
                    let flow = self.perhaps_if(doubt.as_ref(), |run| run.statement(body));
                    return match doubt {
                        Some(why) => self.perhaps_left(&why, &flow),
                        None => flow,
                    };
                }
                Err(why) => {
                    let flow = self.perhaps(&why, |run| run.statement(body));
                    self.perhaps_left(&why, &flow);
                    doubt.get_or_insert(why);
                }
            }
        }
        Flow::Goes
    }

    /// It may be that `flow` led away from here. PHP's end does not count: WordPress does run
    /// somehow, and so it does where the wp-config.php itself returns.
    fn perhaps_left(&mut self, why: &Why, flow: &Flow) -> Flow {
        match flow {
            Flow::Returns(_) if !(self.is_main && self.state.is_global()) => {
                self.state.leave(why, Left::Function);
            }
            Flow::Breaks(_) | Flow::Continues(_) => self.state.leave(why, Left::Loop),
            _ => (),
        }
        Flow::Goes
    }

    fn const_items(&mut self, items: &[ConstItem<'_, '_>]) {
        for item in items {
            let value = self.evaluate(&item.value);
            let at = self.why(item.span, "");
            // In a namespace it is another constant than PHP's `define` makes.
            if !self.state.in_namespace {
                self.state.define(item.name.or_error(), value, &at);
            }
        }
    }

    /// Do something that PHP may or may not do.
    pub(super) fn perhaps<T>(&mut self, why: &Why, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.state.unsure.clone();
        self.state.unsure.get_or_insert_with(|| why.clone());
        let result = act(self);
        self.state.unsure = before;
        result
    }

    fn perhaps_if<T>(&mut self, doubt: Option<&Why>, act: impl FnOnce(&mut Self) -> T) -> T {
        match doubt {
            Some(why) => self.perhaps(why, act),
            None => act(self),
        }
    }

    pub(super) fn set_variable(&mut self, name: &str, value: Value, line: u32) {
        let sure = self.state.unsure.is_none();
        let value = self.state.unsure.clone().map_or(value, Value::Unknown);
        let file = (!self.is_main).then(|| Arc::clone(&self.file));
        self.state.variables_of(name).insert(name.to_owned(), Slot { value, file, line, sure });
    }

    fn forget(&mut self, target: &Expr<'_, '_>) {
        if let (ExprKind::Variable(name), None) = (&target.kind, &self.state.unsure) {
            self.state.variables_of(name.as_str()).remove(name.as_str());
        } else {
            let why = self.why(target.span, "`unset`");
            self.make_unknown(target, &why);
        }
    }

    /// `global $name;`
    fn link(&mut self, target: &Expr<'_, '_>) {
        match &target.kind {
            ExprKind::Variable(name) => self.state.link(name.as_str()),
            _ => _ = self.anything_happens(target.span, "`global`"),
        }
    }

    /// Put `value` into what is on the left side of an assignment.
    pub(super) fn assign_to(&mut self, target: &Expr<'_, '_>, value: Value) {
        let why = self.why(target.span, "reference or array");
        match &target.kind {
            ExprKind::Variable(name) if !is_of_php(name.as_str()) => {
                self.set_variable(name.as_str(), value, why.line);
            }
            ExprKind::ArrayAccess(it) if self.put_into_array(it, &value).is_some() => (),
            _ => self.make_unknown(target, &why),
        }
    }

    /// The variables that `target` writes to get an unknown value.
    pub(super) fn make_unknown(&mut self, target: &Expr<'_, '_>, why: &Why) {
        match &target.kind {
            ExprKind::Variable(name) => self.lose_variable(name.as_str(), why),
            ExprKind::ArrayAccess(it) => self.make_unknown(it.array, why),
            ExprKind::Array(elements) => {
                elements.iter().map(ArrayElement::value).for_each(|it| self.make_unknown(it, why));
            }
            ExprKind::VariableVariable(_) => self.state.set_any_variable(why),
            _ => {}
        }
    }

    fn lose_variable(&mut self, name: &str, why: &Why) {
        match name {
            "_ENV" | "_SERVER" => self.state.lose_env(why),
            "GLOBALS" => self.state.set_any_variable(why),
            _ => self.set_variable(name, Value::Unknown(why.clone()), why.line),
        }
    }

    /// Any constant may be defined now, and any variable set.
    pub(super) fn anything_happens(&mut self, span: Span, what: &str) -> Value {
        let why = self.why(span, what);
        self.state.lose_track(&why);
        self.state.set_any_variable(&why);
        self.state.lose_env(&why);
        Value::Unknown(why)
    }

    pub(super) fn why(&self, span: Span, what: &str) -> Why {
        let file = (!self.is_main).then(|| Arc::clone(&self.file));
        let line = self.lines.offset_to_line_col(span.start).to_one_based().0;
        Why { file, line, what: what.to_owned() }
    }

    /// The same for whatever turns out to make it unknown there.
    pub(super) fn at(&self, span: Span) -> impl Fn(&str) -> Why + use<> {
        let at = self.why(span, "");
        move |what| Why { what: what.to_owned(), ..at.clone() }
    }

    pub(super) fn unknown(&self, span: Span, what: &str) -> Value {
        Value::Unknown(self.why(span, what))
    }

    pub(super) fn text(&self, span: Span) -> &str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

impl Flow {
    /// The same, seen from outside of a loop that it led out of.
    fn out_of_a_loop(self) -> Self {
        match self {
            Self::Breaks(levels) => Self::Breaks(levels - 1),
            Self::Continues(levels) => Self::Continues(levels - 1),
            flow => flow,
        }
    }
}

/// `break 2`
fn level(levels: Option<&Expr<'_, '_>>) -> i64 {
    match levels.map(|it| &it.kind) {
        Some(ExprKind::Int(levels)) => (*levels).max(1),
        _ => 1,
    }
}

/// Whether PHP would take a part of `text` for code, where its short tags are on.
pub(super) fn has_short_tag(text: &str) -> bool {
    text.match_indices("<?").any(|(at, _)| {
        let rest = text.get(at + 2..).unwrap_or_default();
        !rest.starts_with("xml") && !rest.starts_with('=')
    })
}
