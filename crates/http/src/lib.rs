//! The HTTP client of the adapters: one request goes out, one bounded answer comes back.
//!
//! It knows nothing of who is asked. What is sent is signed or carries a secret, so it goes only
//! where nobody can listen in ([`BaseUrl`]), no redirect is followed, and no error shows a URL.
//!
//! # Where to start
//!
//! 1. [`Client`]: how requests are sent.
//! 2. [`NoAnswer`]: what it means when no answer comes back.

mod base_url;
mod client;
mod no_answer;
mod retry_after;
mod secret_url;
mod words;

pub use base_url::{BaseUrl, NotABaseUrl};
pub use client::{Answer, Client, Incoming, Limits, NoClient};
pub use no_answer::NoAnswer;
pub use reqwest::{Method, RequestBuilder, StatusCode, header};
pub use secret_url::SecretUrl;
pub use url::Url;
