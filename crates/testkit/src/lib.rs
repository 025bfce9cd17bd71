//! What tests share: servers of their own, contract suites, and the `World`.
