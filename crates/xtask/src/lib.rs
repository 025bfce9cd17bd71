//! Chores, and the rules of this repository that no compiler checks.
