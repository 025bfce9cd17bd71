//! The variables that a piece of code writes to: after a loop whose turns are not known, so are they.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use php_ast::visitor::{Visitor, walk_expr, walk_stmt};
use php_ast::{ArrayElement, Expr, ExprKind, Stmt, StmtKind, UnaryPrefixOp};

use super::expression::MAX_DEPTH;

/// The names of the variables that `statement` writes to by their names.
pub(super) fn variables(statement: &Stmt<'_, '_>) -> BTreeSet<String> {
    let mut written = Written::default();
    _ = written.visit_stmt(statement);
    written.names
}

#[derive(Default)]
struct Written {
    names: BTreeSet<String>,
    /// Within so many expressions.
    level: u32,
}

impl Written {
    fn target(&mut self, expr: &Expr<'_, '_>) {
        match &expr.kind {
            ExprKind::Variable(name) => _ = self.names.insert(name.as_str().to_owned()),
            ExprKind::ArrayAccess(it) => self.target(it.array),
            ExprKind::Array(elements) => {
                elements.iter().map(ArrayElement::value).for_each(|it| self.target(it));
            }
            _ => (),
        }
    }
}

impl<'arena, 'src> Visitor<'arena, 'src> for Written {
    type Break = ();

    fn visit_stmt(&mut self, stmt: &Stmt<'arena, 'src>) -> ControlFlow<()> {
        match &stmt.kind {
            StmtKind::Foreach(it) => {
                it.key.iter().chain([&it.value]).for_each(|it| self.target(it));
                if it.by_ref {
                    self.target(&it.expr);
                }
            }
            StmtKind::Unset(targets) => targets.iter().for_each(|it| self.target(it)),
            // What is in them is another scope.
            StmtKind::Function(_) | StmtKind::Class(_) => return ControlFlow::Continue(()),
            _ => (),
        }
        walk_stmt(self, stmt)
    }

    fn visit_expr(&mut self, expr: &Expr<'arena, 'src>) -> ControlFlow<()> {
        match &expr.kind {
            ExprKind::Assign(it) => {
                self.target(it.target);
                if it.by_ref {
                    self.target(it.value);
                }
            }
            ExprKind::UnaryPostfix(it) => self.target(it.operand),
            ExprKind::UnaryPrefix(it)
                if matches!(it.op, UnaryPrefixOp::PreIncrement | UnaryPrefixOp::PreDecrement) =>
            {
                self.target(it.operand);
            }
            _ => (),
        }
        if self.level == MAX_DEPTH {
            return ControlFlow::Continue(());
        }
        self.level += 1;
        let flow = walk_expr(self, expr);
        self.level -= 1;
        flow
    }
}
