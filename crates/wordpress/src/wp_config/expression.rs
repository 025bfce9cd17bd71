//! The value of an expression, as far as it is known without running PHP.

use std::path::Path;

use php_ast::{
    ArrayAccessExpr, ArrayElement, ArrayElementKind, AssignExpr, AssignOp, BinaryExpr, BinaryOp,
    CastKind, Expr, ExprKind, MagicConstKind, MatchExpr, Name, NameKind, Span, StringPart,
    TernaryExpr, UnaryPrefixExpr, UnaryPrefixOp,
};

use super::functions;
use super::run::Run;
use super::state::Slot;
use super::value::{Array, Key, Value, Why};

/// Deeper than anybody writes by hand; chains such as `'a' . 'b' . …` count too.
pub(super) const MAX_DEPTH: u32 = 400;

impl Run<'_> {
    pub(super) fn evaluate(&mut self, expr: &Expr<'_, '_>) -> Value {
        if self.state.depth == MAX_DEPTH {
            return self.unknown(expr.span, "very long expression");
        }
        self.state.depth += 1;
        let value = self.value(expr);
        self.state.depth -= 1;
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
            ExprKind::Include(kind, path) => self.include(*kind, path, expr.span),
            ExprKind::Eval(code) => self.evaluate_code(code, expr.span),
            ExprKind::ArrayAccess(it) => self.element(it, expr.span),
            ExprKind::Array(elements) => self.array(elements, expr.span),
            ExprKind::Match(it) => self.matched(it, expr.span),
            ExprKind::Print(inner) => {
                self.evaluate(inner);
                Value::Int(1)
            }
            ExprKind::MethodCall(it) | ExprKind::NullsafeMethodCall(it) => {
                self.evaluate(it.object);
                self.method_called(expr.span)
            }
            ExprKind::StaticMethodCall(it) => {
                self.class_used(it.class, expr.span);
                self.method_called(expr.span)
            }
            ExprKind::StaticMethodCallDynamic(it) => {
                self.class_used(it.class, expr.span);
                self.method_called(expr.span)
            }
            ExprKind::New(it) => {
                self.class_used(it.class, expr.span);
                self.method_called(expr.span)
            }
            ExprKind::ClassConstAccess(it) | ExprKind::StaticPropertyAccess(it) => {
                self.class_used(it.class, expr.span);
                self.unknown(expr.span, "a part of a class")
            }
            _ => self.unknown(expr.span, "expression"),
        }
    }

    /// Methods of PHP's own classes define nothing.
    fn method_called(&mut self, span: Span) -> Value {
        if self.state.classes.is_empty() && self.state.elsewhere.is_none() {
            return self.unknown(span, "expression");
        }
        self.anything_is_called(span, "the call of a method")
    }

    /// PHP looks for a class that nothing read declares in files that it finds by its name.
    fn class_used(&mut self, class: &Expr<'_, '_>, span: Span) {
        let name = match &class.kind {
            ExprKind::Name(name) => plain(name).to_ascii_lowercase(),
            ExprKind::Identifier(name) => name.as_str().to_ascii_lowercase(),
            ExprKind::AnonymousClass(_) => return,
            _ => String::from("?"),
        };
        let last = name.rsplit('\\').next().unwrap_or_default();
        let is_read = self.state.classes.contains(last);
        let of_php =
            ["self", "static", "parent", "stdclass", "exception", "datetime", "pdo", "mysqli"];
        if self.state.skipped.autoloads && !is_read && !of_php.contains(&last) {
            self.anything_happens(span, "a class that PHP looks for");
        }
    }

    fn interpolated(&mut self, parts: &[StringPart<'_, '_>], span: Span) -> Value {
        let at = self.at(span);
        let empty = Value::Str(Vec::new());
        parts.iter().fold(empty, |text, part| match part {
            StringPart::Literal(literal) => {
                text.concat(Value::Str(literal.as_bytes().to_vec()), &at)
            }
            StringPart::Expr(expr) => text.concat(self.evaluate(expr), &at),
            _ => self.unknown(span, "text"),
        })
    }

    fn variable(&self, name: &str, span: Span) -> Value {
        match self.state.variable(name) {
            Some(slot) => slot.value.clone(),
            None => self.unknown(span, &format!("`${name}` is not set in this file")),
        }
    }

    fn constant(&self, name: &Name<'_, '_>, span: Span) -> Value {
        self.constant_named(&plain(name), span)
    }

    pub(super) fn constant_named(&self, name: &str, span: Span) -> Value {
        if let Some(slot) = self.state.constants.get(name) {
            return slot.value.clone();
        }
        let elsewhere = self.state.may_be_defined(name).cloned().map(Value::Unknown);
        functions::constant(name)
            .or(elsewhere)
            .unwrap_or_else(|| self.unknown(span, &format!("`{name}` is not defined in this file")))
    }

    fn magic(&self, kind: MagicConstKind, span: Span) -> Value {
        let path = |path: &Path| Value::Str(path.as_os_str().as_encoded_bytes().to_vec());
        match (kind, self.file.parent()) {
            (MagicConstKind::File, _) => path(&self.file),
            (MagicConstKind::Dir, Some(folder)) => path(folder),
            (MagicConstKind::Line, _) => Value::Int(self.why(span, "").line.into()),
            _ => self.unknown(span, "magic constant"),
        }
    }

    fn cast(&mut self, kind: CastKind, inner: &Expr<'_, '_>) -> Value {
        let value = self.evaluate(inner);
        match (kind, value) {
            (_, Value::Unknown(why)) => Value::Unknown(why),
            (CastKind::String, value) => {
                value.text().map_or_else(|_| self.unknown(inner.span, "cast"), Value::Str)
            }
            (CastKind::Bool, value) => value.truth().map_or_else(Value::Unknown, Value::Bool),
            (CastKind::Int, Value::Int(value)) => Value::Int(value),
            (CastKind::Int, Value::Bool(value)) => Value::Int(value.into()),
            (CastKind::Int, Value::Str(text)) => {
                functions::int(&text).unwrap_or_else(|| self.unknown(inner.span, "cast"))
            }
            _ => self.unknown(inner.span, "cast"),
        }
    }

    fn assign(&mut self, it: &AssignExpr<'_, '_>) -> Value {
        let at = self.at(it.target.span);
        let value = match it.op {
            AssignOp::Assign => self.evaluate(it.value),
            AssignOp::Concat => self.evaluate(it.target).concat(self.evaluate(it.value), &at),
            AssignOp::Coalesce => match self.or_null(it.target) {
                Value::Null => self.evaluate(it.value),
                Value::Unknown(why) => self.either(&why, it.value),
                value => return value,
            },
            _ => Value::Unknown(at("arithmetic")),
        };
        if it.by_ref {
            let why = at("reference or array");
            self.make_unknown(it.target, &why);
            self.make_unknown(it.value, &why);
        } else {
            self.assign_to(it.target, value.clone());
        }
        value
    }

    fn array(&mut self, elements: &[ArrayElement<'_, '_>], span: Span) -> Value {
        let mut array = Array::default();
        for element in elements {
            let key = element.key.as_ref().map(|key| self.evaluate(key));
            let ArrayElementKind::Value(value) = &element.kind else {
                return self.unknown(span, "array");
            };
            let value = self.evaluate(value);
            let key = match key {
                None => None,
                Some(Value::Unknown(why)) => return Value::Unknown(why),
                Some(key) => match Key::of(&key) {
                    Some(key) => Some(key),
                    None => return self.unknown(span, "array"),
                },
            };
            if array.put(key, value).is_none() {
                return self.unknown(span, "very large array");
            }
        }
        Value::Array(array)
    }

    /// `$array[key]`
    fn element(&mut self, it: &ArrayAccessExpr<'_, '_>, span: Span) -> Value {
        let Some(index) = it.index else { return self.unknown(span, "array") };
        let index = self.evaluate(index);
        let key = match (Key::of(&index), index) {
            (_, Value::Unknown(why)) => return Value::Unknown(why),
            (None, _) => return self.unknown(span, "array"),
            (Some(key), _) => key,
        };
        let of_php = match (&it.array.kind, &key) {
            (ExprKind::Variable(name), Key::Str(key)) => {
                self.of_php(name.as_str(), &String::from_utf8_lossy(key), span)
            }
            _ => None,
        };
        if let Some(value) = of_php {
            return value;
        }
        match self.evaluate(it.array) {
            Value::Array(array) => array.get(&key).cloned().unwrap_or(Value::Null),
            Value::Unknown(why) => Value::Unknown(why),
            Value::Null => Value::Null,
            _ => self.unknown(span, "a part of a text"),
        }
    }

    /// An element of an array that PHP itself fills: the environment, and what is of a request.
    fn of_php(&self, array: &str, key: &str, span: Span) -> Option<Value> {
        let unset = |value| if value == Value::Bool(false) { Value::Null } else { value };
        let is_of_a_request = || {
            let heads = ["HTTP", "REQUEST", "SERVER", "REMOTE", "SCRIPT", "CONTENT", "PHP", "SSL"];
            let heads = heads.into_iter().chain(["DOCUMENT", "QUERY", "PATH_", "GATEWAY"]);
            // `AUTH_KEY` and its like are WordPress' own.
            let mut names = ["UNIQUE_ID", "argv", "argc", "FCGI_ROLE", "ORIG_PATH_INFO", "USER"]
                .into_iter()
                .chain(["HOME", "AUTH_TYPE", "AUTH_USER", "AUTH_PASSWORD"]);
            heads.into_iter().any(|head| key.starts_with(head)) || names.any(|name| name == key)
        };
        match array {
            "_SERVER" if is_of_a_request() => {
                Some(self.unknown(span, &format!("`$_SERVER['{key}']`")))
            }
            "_SERVER" | "_ENV" => Some(unset(self.state.env(key))),
            "GLOBALS" => Some(match self.state.global(key) {
                Some(slot) => slot.value.clone(),
                None => match &self.state.elsewhere {
                    Some(why) => Value::Unknown(why.clone()),
                    None => Value::Null,
                },
            }),
            "_GET" | "_POST" | "_COOKIE" | "_REQUEST" | "_FILES" | "_SESSION" => {
                Some(self.unknown(span, &format!("`${array}['{key}']`")))
            }
            _ => None,
        }
    }

    /// `$array[key] = value`; none where that cannot be followed.
    pub(super) fn put_into_array(
        &mut self,
        it: &ArrayAccessExpr<'_, '_>,
        value: &Value,
    ) -> Option<()> {
        let ExprKind::Variable(name) = &it.array.kind else { return None };
        let name = name.as_str();
        let key = match it.index {
            Some(index) => Some(Key::of(&self.evaluate(index))?),
            None => None,
        };
        let at = self.why(it.array.span, "");
        match (name, &key) {
            ("_ENV" | "_SERVER", Some(Key::Str(key))) => {
                let unsure = self.state.unsure.clone();
                let value = unsure.map_or_else(|| value.clone(), Value::Unknown);
                self.state.set_env(&String::from_utf8_lossy(key), value);
                return Some(());
            }
            ("GLOBALS", Some(Key::Str(key))) => {
                let sure = self.state.unsure.is_none();
                let value = self.state.unsure.clone().map_or_else(|| value.clone(), Value::Unknown);
                let slot = Slot { value, file: at.file.clone(), line: at.line, sure };
                self.state.set_global(&String::from_utf8_lossy(key), slot);
                return Some(());
            }
            _ if name.starts_with('_') || name == "GLOBALS" => return None,
            _ => (),
        }
        let known = self.state.variable(name).map(|slot| slot.value.clone());
        let mut array = match known {
            Some(Value::Array(array)) => array,
            None | Some(Value::Null) if self.state.elsewhere.is_none() => Array::default(),
            _ => return None,
        };
        array.put(key, value.clone())?;
        self.set_variable(name, Value::Array(array), at.line);
        Some(())
    }

    fn matched(&mut self, it: &MatchExpr<'_, '_>, span: Span) -> Value {
        let subject = self.evaluate(it.subject);
        let mut default = None;
        for arm in it.arms.iter() {
            let Some(conditions) = &arm.conditions else {
                default = Some(&arm.body);
                continue;
            };
            for condition in conditions.iter() {
                match self.evaluate(condition).identical(&subject).truth() {
                    Ok(true) => return self.evaluate(&arm.body),
                    Ok(false) => (),
                    Err(why) => return Value::Unknown(why),
                }
            }
        }
        match default {
            Some(body) => self.evaluate(body),
            None => self.unknown(span, "`match`"),
        }
    }

    fn binary(&mut self, it: &BinaryExpr<'_, '_>, span: Span) -> Value {
        match it.op {
            BinaryOp::BooleanOr | BinaryOp::LogicalOr => self.short_circuit(it, true),
            BinaryOp::BooleanAnd | BinaryOp::LogicalAnd => self.short_circuit(it, false),
            op => {
                let (left, right) = (self.evaluate(it.left), self.evaluate(it.right));
                let at = self.why(span, "");
                let at = |what: &str| Why { what: what.to_owned(), ..at.clone() };
                match op {
                    BinaryOp::Concat => left.concat(right, &at),
                    BinaryOp::Identical => left.identical(&right),
                    BinaryOp::NotIdentical => left.identical(&right).not(),
                    BinaryOp::Equal => left.equal(&right, &at),
                    BinaryOp::NotEqual => left.equal(&right, &at).not(),
                    _ => arithmetic(op, &left, &right).unwrap_or_else(|| {
                        let why = left.unknown().or(right.unknown()).cloned();
                        Value::Unknown(why.unwrap_or_else(|| at("arithmetic")))
                    }),
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
        let name = match &expr.kind {
            ExprKind::Variable(name) => name.as_str(),
            // Without a word about what is not there.
            ExprKind::ArrayAccess(it)
                if matches!(it.array.kind, ExprKind::Variable(_) | ExprKind::ArrayAccess(_))
                    && !is_phps(it.array)
                    && self.or_null(it.array) == Value::Null =>
            {
                return Value::Null;
            }
            _ => return self.evaluate(expr),
        };
        let is_set = self.state.variable(name).is_some();
        match self.state.elsewhere.as_ref().or(self.state.any_variable.as_ref()) {
            _ if is_set || is_of_php(name) => self.evaluate(expr),
            Some(why) => Value::Unknown(why.clone()),
            None => Value::Null,
        }
    }
}

fn is_phps(expr: &Expr<'_, '_>) -> bool {
    matches!(&expr.kind, ExprKind::Variable(name) if is_of_php(name.as_str()))
}

/// Whether PHP itself fills the variable.
pub(super) fn is_of_php(name: &str) -> bool {
    name.starts_with('_') || matches!(name, "GLOBALS" | "argv" | "argc")
}

/// Numbers only: what PHP makes of a text as a number depends on its version.
fn arithmetic(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    let (Value::Int(left), Value::Int(right)) = (left, right) else { return None };
    match op {
        BinaryOp::Add => left.checked_add(*right).map(Value::Int),
        BinaryOp::Sub => left.checked_sub(*right).map(Value::Int),
        BinaryOp::Mul => left.checked_mul(*right).map(Value::Int),
        BinaryOp::Less => Some(Value::Bool(left < right)),
        BinaryOp::LessOrEqual => Some(Value::Bool(left <= right)),
        BinaryOp::Greater => Some(Value::Bool(left > right)),
        BinaryOp::GreaterOrEqual => Some(Value::Bool(left >= right)),
        _ => None,
    }
}

/// The name without a leading `\`.
pub(super) fn plain(name: &Name<'_, '_>) -> String {
    match name.kind() {
        NameKind::FullyQualified => name.to_string_repr().trim_start_matches('\\').to_owned(),
        _ => name.to_string_repr().into_owned(),
    }
}
