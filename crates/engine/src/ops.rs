//! What people ask for, each as one function that returns a value.
