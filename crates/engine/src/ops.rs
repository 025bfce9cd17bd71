//! What people ask for, each as one function that returns a value.

pub mod recheck;
pub mod stored;
