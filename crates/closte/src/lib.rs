//! The host: Closte's wire format, its answers, and pacing.
