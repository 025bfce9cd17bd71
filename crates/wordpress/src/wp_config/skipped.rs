//! What is in a file besides the statements that are followed: its functions, and what those, its classes
//! and the closures that are not called at once may define.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::expression::{MAX_DEPTH, plain};
use php_ast::visitor::{Visitor, walk_expr, walk_stmt};
use php_ast::{Arg, Expr, ExprKind, FunctionCallExpr, FunctionDecl, Program, Stmt, StmtKind};

/// The functions of one file, and what its functions and classes may define when they are called.
#[derive(Default)]
pub(super) struct Functions<'a> {
    /// By name in lower case; none where it is declared more than once.
    by_name: BTreeMap<String, Option<&'a FunctionDecl<'a, 'a>>>,
    /// Those that are declared before the first statement.
    pub(super) first: BTreeSet<String>,
    /// What they do besides.
    pub(super) effects: Effects,
    /// Its classes, by their last names in lower case; an empty one has no name.
    pub(super) classes: BTreeSet<String>,
}

/// What code does that is skipped, once it runs.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an effect of its own")]
pub(super) struct Effects {
    /// The constants that it defines by name.
    pub(super) defines: BTreeSet<String>,
    /// Whether it defines one whose name is computed.
    pub(super) defines_any: bool,
    /// Whether it changes the environment.
    pub(super) sets_env: bool,
    /// Whether it may set any variable outside of itself.
    pub(super) sets_globals: bool,
    /// Whether it has PHP read files for classes that are not there.
    pub(super) autoloads: bool,
}

impl Effects {
    pub(super) fn add(&mut self, other: &Self) {
        self.defines.extend(other.defines.iter().cloned());
        self.defines_any |= other.defines_any;
        self.sets_env |= other.sets_env;
        self.sets_globals |= other.sets_globals;
        self.autoloads |= other.autoloads;
    }
}

impl<'a> Functions<'a> {
    pub(super) fn of(program: &'a Program<'a, 'a>) -> Self {
        let mut functions = Self::default();
        for statement in program.stmts.iter() {
            if let StmtKind::Function(it) = &statement.kind {
                functions.first.insert(it.name.or_error().to_ascii_lowercase());
            }
        }
        functions.find(&program.stmts);
        let mut inside = Inside { functions: &mut functions, depth: 0, is_called: false, level: 0 };
        for statement in program.stmts.iter() {
            _ = inside.visit_stmt(statement);
        }
        functions
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a FunctionDecl<'a, 'a>> {
        *self.by_name.get(name)?
    }

    /// Whether this file declares it, once or more often.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Declarations in the statements that are followed, in branches too.
    fn find(&mut self, statements: &'a [Stmt<'a, 'a>]) {
        for statement in statements {
            self.find_in(statement);
        }
    }

    fn find_in(&mut self, statement: &'a Stmt<'a, 'a>) {
        match &statement.kind {
            StmtKind::Function(it) => {
                let name = it.name.or_error().to_ascii_lowercase();
                let known = self.by_name.contains_key(&name);
                self.by_name.insert(name, (!known).then_some(*it));
            }
            StmtKind::Block(block) => self.find(&block.stmts),
            StmtKind::If(it) => {
                self.find_in(it.then_branch);
                it.elseif_branches.iter().for_each(|branch| self.find_in(&branch.body));
                it.else_branch.iter().for_each(|body| self.find_in(body));
            }
            _ => (),
        }
    }
}

/// Looks for `define` within functions and classes.
struct Inside<'f, 'a> {
    functions: &'f mut Functions<'a>,
    /// Within so many functions and classes.
    depth: u32,
    /// Whether the next closure is called where it stands, and so is followed.
    is_called: bool,
    /// Within so many expressions.
    level: u32,
}

impl<'arena, 'src> Visitor<'arena, 'src> for Inside<'_, '_> {
    type Break = ();

    fn visit_stmt(&mut self, stmt: &Stmt<'arena, 'src>) -> ControlFlow<()> {
        let is_body = matches!(
            stmt.kind,
            StmtKind::Function(_) | StmtKind::Class(_) | StmtKind::Trait(_) | StmtKind::Enum(_)
        );
        let class = match &stmt.kind {
            StmtKind::Class(it) => it.name.as_ref(),
            StmtKind::Trait(it) => Some(&it.name),
            StmtKind::Enum(it) => Some(&it.name),
            _ => None,
        };
        let class = class.map(|name| name.or_error().to_ascii_lowercase());
        self.functions.classes.extend(class);
        self.functions.effects.sets_globals |=
            0 < self.depth && matches!(stmt.kind, StmtKind::Global(_));
        self.depth += u32::from(is_body);
        let flow = walk_stmt(self, stmt);
        self.depth -= u32::from(is_body);
        flow
    }

    fn visit_expr(&mut self, expr: &Expr<'arena, 'src>) -> ControlFlow<()> {
        if 0 < self.depth {
            self.note(expr);
        }
        if self.level == MAX_DEPTH {
            self.functions.effects.defines_any |= 0 < self.depth;
            return ControlFlow::Continue(());
        }
        let is_body = match &expr.kind {
            ExprKind::FunctionCall(it) => {
                self.is_called = calls_a_closure(it);
                false
            }
            ExprKind::Closure(_) | ExprKind::ArrowFunction(_) => {
                !std::mem::take(&mut self.is_called)
            }
            ExprKind::AnonymousClass(_) => {
                self.functions.classes.insert(String::new());
                true
            }
            _ => false,
        };
        self.depth += u32::from(is_body);
        self.level += 1;
        let flow = walk_expr(self, expr);
        self.level -= 1;
        self.depth -= u32::from(is_body);
        flow
    }
}

impl Inside<'_, '_> {
    /// What an expression does that is skipped.
    fn note(&mut self, expr: &Expr<'_, '_>) {
        let effects = &mut self.functions.effects;
        match &expr.kind {
            ExprKind::FunctionCall(it) => {
                let ExprKind::Name(name) = &it.name.kind else { return };
                match plain(name).to_ascii_lowercase().as_str() {
                    "define" => match it.args.first().and_then(Arg::value).map(|it| &it.kind) {
                        Some(ExprKind::String(text)) => {
                            let name = String::from_utf8_lossy(text.as_bytes()).into_owned();
                            effects.defines.insert(name);
                        }
                        _ => effects.defines_any = true,
                    },
                    "putenv" => effects.sets_env = true,
                    "spl_autoload_register" => effects.autoloads = true,
                    _ => (),
                }
            }
            ExprKind::Assign(it) => effects.sets_env |= is_of_the_environment(it.target),
            ExprKind::Variable(name) => effects.sets_globals |= name.as_str() == "GLOBALS",
            _ => (),
        }
    }
}

fn is_of_the_environment(target: &Expr<'_, '_>) -> bool {
    match &target.kind {
        ExprKind::ArrayAccess(it) => is_of_the_environment(it.array),
        ExprKind::Variable(name) => matches!(name.as_str(), "_ENV" | "_SERVER"),
        _ => false,
    }
}

/// Whether a closure is called where it stands: `(function () { … })()`, `call_user_func(function …)`.
fn calls_a_closure(it: &FunctionCallExpr<'_, '_>) -> bool {
    let is_closure =
        |it: &ExprKind<'_, '_>| matches!(it, ExprKind::Closure(_) | ExprKind::ArrowFunction(_));
    match &it.name.kind {
        ExprKind::Parenthesized(inner) => is_closure(&inner.kind),
        ExprKind::Name(name) if plain(name).eq_ignore_ascii_case("call_user_func") => {
            it.args.first().and_then(Arg::value).is_some_and(|it| is_closure(&it.kind))
        }
        _ => false,
    }
}
