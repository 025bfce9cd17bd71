//! The state of PHP's globals at a point of a wp-config.php, or of a file that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Decided;
use super::skipped::{Effects, Functions};
use super::value::{Value, Why};

/// So many places that cannot be followed are named.
const MOST_NAMED: usize = 8;

/// A name that was given a value.
pub(super) struct Slot {
    pub(super) value: Value,
    /// The file that gave it, where that is not the wp-config.php itself.
    pub(super) file: Option<Arc<Path>>,
    pub(super) line: u32,
    /// Whether it certainly has one, even if it is unknown which.
    pub(super) sure: bool,
}

/// What may have been left before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Loop,
    /// Or the file.
    Function,
}

/// The variables of a function, or of what is outside of all.
#[derive(Default)]
struct Scope {
    variables: BTreeMap<String, Slot>,
    /// Those that are the outermost ones.
    globals: BTreeSet<String>,
}

/// A function that was declared.
struct Declared {
    /// In which file.
    file: Arc<Path>,
    /// Whether it certainly was.
    sure: bool,
}

/// All that PHP remembers, and what we know of it.
pub(super) struct State {
    /// What `getenv` gives; none of a name that was unset.
    env: BTreeMap<String, Value>,
    pub(super) constants: BTreeMap<String, Slot>,
    /// Constants that code which was skipped may have defined.
    perhaps_defined: BTreeMap<String, Why>,
    /// The outermost first.
    scopes: Vec<Scope>,
    pub(super) decided: Vec<Decided>,
    /// Why it is not certain that the present statement runs.
    pub(super) unsure: Option<Why>,
    /// What may have defined any constant, such as a file that cannot be followed.
    pub(super) elsewhere: Option<Why>,
    /// All of that, the first few.
    pub(super) not_followed: Vec<Why>,
    /// That the present loop or function may have been left, and why.
    pub(super) left: Option<(Why, Left)>,
    /// Functions that were declared, and those of them that perhaps were.
    declared: BTreeMap<String, Declared>,
    /// What may have set any variable.
    pub(super) any_variable: Option<Why>,
    /// What may have set any name of the environment.
    any_env: Option<Why>,
    /// Classes that are declared in what was read.
    pub(super) classes: BTreeSet<String>,
    /// What skipped functions and classes do when they run.
    pub(super) skipped: Effects,
    /// Why files are looked for in other folders than at first.
    pub(super) other_folders: Option<Why>,
    /// Whether the file is within a namespace.
    pub(super) in_namespace: bool,
    /// Whether PHP has certainly ended.
    pub(super) ended: bool,
    /// The files that are being followed, and those that were.
    pub(super) following: Vec<PathBuf>,
    pub(super) followed: BTreeSet<PathBuf>,
    pub(super) depth: u32,
    pub(super) calls: u32,
    pub(super) steps: u32,
}

impl State {
    pub(super) fn new(env: &BTreeMap<String, String>) -> Self {
        let text = |value: &String| Value::Str(value.clone().into_bytes());
        Self {
            env: env.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            constants: BTreeMap::new(),
            perhaps_defined: BTreeMap::new(),
            scopes: vec![Scope::default()],
            decided: Vec::new(),
            unsure: None,
            elsewhere: None,
            not_followed: Vec::new(),
            left: None,
            declared: BTreeMap::new(),
            any_variable: None,
            any_env: None,
            classes: BTreeSet::new(),
            skipped: Effects::default(),
            other_folders: None,
            in_namespace: false,
            ended: false,
            following: Vec::new(),
            followed: BTreeSet::new(),
            depth: 0,
            calls: 0,
            steps: 0,
        }
    }

    /// Define a constant; the first definition wins. Whether this was the first.
    pub(super) fn define(&mut self, name: &str, value: Value, at: &Why) -> Value {
        let sure = self.unsure.is_none();
        let value = self.unsure.clone().map_or(value, Value::Unknown);
        let perhaps = self.perhaps_defined.get(name).cloned();
        let Some(slot) = self.constants.get_mut(name) else {
            let value = perhaps.clone().map_or(value, Value::Unknown);
            let slot = Slot { value, file: at.file.clone(), line: at.line, sure };
            self.constants.insert(name.to_owned(), slot);
            return perhaps.map_or(Value::Bool(true), Value::Unknown);
        };
        if slot.sure {
            return Value::Bool(false);
        }
        // Perhaps defined before: which of the two counts is unknown.
        slot.sure = sure;
        slot.value.clone()
    }

    /// A constant that is defined before the first line.
    pub(super) fn define_first(&mut self, name: &str, value: Value) {
        let slot = Slot { value, file: None, line: 0, sure: true };
        self.constants.insert(name.to_owned(), slot);
    }

    /// `defined('NAME')`
    pub(super) fn is_defined(&self, name: &str) -> Value {
        let elsewhere = || self.perhaps_defined.get(name).or(self.elsewhere.as_ref());
        match self.constants.get(name) {
            Some(slot) if slot.sure => Value::Bool(true),
            Some(slot) => slot.value.clone(),
            None => elsewhere().map_or(Value::Bool(false), |why| Value::Unknown(why.clone())),
        }
    }

    /// Code that was skipped runs, which defines these constants.
    pub(super) fn perhaps_define(&mut self, names: impl IntoIterator<Item = String>, why: &Why) {
        for name in names {
            self.perhaps_defined.entry(name).or_insert_with(|| why.clone());
        }
    }

    /// Something happens that cannot be followed, and may define any constant.
    pub(super) fn lose_track(&mut self, why: &Why) {
        self.elsewhere.get_or_insert_with(|| why.clone());
        if self.not_followed.len() < MOST_NAMED && !self.not_followed.contains(why) {
            self.not_followed.push(why.clone());
        }
    }

    /// Why a constant that is not defined here may be so all the same.
    pub(super) fn may_be_defined(&self, name: &str) -> Option<&Why> {
        self.perhaps_defined.get(name).or(self.elsewhere.as_ref())
    }

    /// Code that was skipped and that ran may define just this.
    pub(super) fn may_be_skipped(&self, name: &str) -> Option<&Why> {
        self.perhaps_defined.get(name)
    }

    /// What `getenv` gives.
    pub(super) fn env(&self, name: &str) -> Value {
        let unset = || self.any_env.clone().map_or(Value::Bool(false), Value::Unknown);
        self.env.get(name).cloned().unwrap_or_else(unset)
    }

    /// `putenv('NAME=value')`, or `$_ENV['NAME'] = 'value'`.
    pub(super) fn set_env(&mut self, name: &str, value: Value) {
        let value = self.unsure.clone().map_or(value, Value::Unknown);
        self.env.insert(name.to_owned(), value);
    }

    /// Nothing of the environment is known any more.
    pub(super) fn lose_env(&mut self, why: &Why) {
        for value in self.env.values_mut() {
            *value = Value::Unknown(why.clone());
        }
        self.any_env.get_or_insert_with(|| why.clone());
    }

    /// The variables among which `name` is.
    pub(super) fn variables_of(&mut self, name: &str) -> &mut BTreeMap<String, Slot> {
        let last = self.scopes.len() - 1;
        let place = if self.scopes[last].globals.contains(name) { 0 } else { last };
        &mut self.scopes[place].variables
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Slot> {
        let last = self.scopes.last()?;
        if last.globals.contains(name) {
            return self.global(name);
        }
        last.variables.get(name)
    }

    /// A variable outside of all functions.
    pub(super) fn global(&self, name: &str) -> Option<&Slot> {
        self.scopes.first()?.variables.get(name)
    }

    /// `$GLOBALS['name'] = value`
    pub(super) fn set_global(&mut self, name: &str, slot: Slot) {
        self.scopes[0].variables.insert(name.to_owned(), slot);
    }

    /// `global $name;`
    pub(super) fn link(&mut self, name: &str) {
        let is_global = self.is_global();
        if let (false, Some(scope)) = (is_global, self.scopes.last_mut()) {
            scope.globals.insert(name.to_owned());
        }
    }

    /// Whether this is outside of all functions.
    pub(super) fn is_global(&self) -> bool {
        self.scopes.len() == 1
    }

    pub(super) fn enter(&mut self) {
        self.scopes.push(Scope::default());
    }

    pub(super) fn exit(&mut self) {
        self.scopes.pop();
    }

    /// Something wrote to unknown variables.
    pub(super) fn make_all_unknown(&mut self, why: &Why) {
        for slot in self.scopes.iter_mut().flat_map(|scope| scope.variables.values_mut()) {
            slot.value = Value::Unknown(why.clone());
        }
    }

    /// The same, and it may have set any variable.
    pub(super) fn set_any_variable(&mut self, why: &Why) {
        self.make_all_unknown(why);
        self.any_variable.get_or_insert_with(|| why.clone());
    }

    /// A loop, function or file may have been left.
    pub(super) fn leave(&mut self, why: &Why, what: Left) {
        match &mut self.left {
            Some((_, known)) if what == Left::Function => *known = what,
            Some(_) => (),
            none => *none = Some((why.clone(), what)),
        }
    }

    /// A loop is over, before which it stood as `left` says.
    pub(super) fn leave_loop(&mut self, left: Option<(Why, Left)>) {
        if self.left.as_ref().is_some_and(|(_, what)| *what == Left::Loop) {
            self.left = left;
        }
    }

    /// A function is declared in `file`; the first one counts.
    pub(super) fn declare(&mut self, name: &str, file: &Arc<Path>) {
        let declared = Declared { file: Arc::clone(file), sure: self.unsure.is_none() };
        self.declared.entry(name.to_ascii_lowercase()).or_insert(declared);
    }

    /// The file with these functions is read.
    pub(super) fn read_functions(&mut self, functions: &Functions<'_>, file: &Arc<Path>) {
        functions.first.iter().for_each(|name| self.declare(name, file));
        self.skipped.add(&functions.effects);
        self.classes.extend(functions.classes.iter().cloned());
    }

    /// Whether a function was certainly declared in `file`.
    pub(super) fn is_declared_in(&self, name: &str, file: &Path) -> bool {
        self.declared.get(name).is_some_and(|it| it.sure && *it.file == *file)
    }

    /// Give a parameter of the present function its value.
    pub(super) fn bind(&mut self, name: &str, value: Value, line: u32) {
        let slot = Slot { value, file: None, line, sure: true };
        if let Some(scope) = self.scopes.last_mut() {
            scope.variables.insert(name.to_owned(), slot);
        }
    }

    /// Whether a function was declared; none where it perhaps was.
    pub(super) fn is_declared(&self, name: &str) -> Option<bool> {
        match self.declared.get(name) {
            Some(declared) => declared.sure.then_some(true),
            None => Some(false),
        }
    }
}
