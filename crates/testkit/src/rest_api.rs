//! A stand-in of Ultimate Multisite's REST API, as far as that is known: pages of a hundred, newest
//! first, values as strings where they were read and typed where they were just written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::Certificate;
use serde_json::{Map, Value, json};

use crate::http_server::{Answer, Asked, Server};

/// The key that it accepts.
pub const KEY: &str = "k3y";

/// The secret that belongs to it; no output may ever contain it.
pub const SECRET: &str = "s3cret";

/// Both as they are sent (RFC 7617).
pub fn encoded() -> String {
    STANDARD.encode(format!("{KEY}:{SECRET}"))
}

/// A row as it is answered, by its columns.
pub type Row = Map<String, Value>;

/// What comes before a request: how many requests came before it, it, and what there is.
type Before = dyn FnMut(usize, &Asked, &mut Tables) -> Option<Answer> + Send;

/// What the network contains, and how it behaves.
#[derive(Default)]
pub struct Tables {
    /// The mappings.
    pub domain: BTreeMap<u64, Row>,
    /// The sites.
    pub site: BTreeMap<u64, Row>,
    /// What `settings/dns_check_interval` answers.
    pub interval: Option<Value>,
    /// Whether filters are not followed.
    pub no_filters: bool,
    before: Option<Box<Before>>,
    asked: usize,
}

impl Tables {
    /// A network whose main site is at `domain`.
    pub fn of(domain: &str) -> Self {
        let mut tables = Self { interval: Some(json!("120")), ..Self::default() };
        tables.add_site(1, domain);
        tables
    }

    /// Map `domain` to `site`, or map it otherwise.
    pub fn add_mapping(&mut self, id: u64, site: u64, domain: &str, stage: &str) {
        let row = json!({
            "id": id.to_string(), "blog_id": site.to_string(), "domain": domain, "stage": stage,
            "active": "1", "primary_domain": "0", "secure": "0",
        });
        self.domain.insert(id, object(row));
    }

    /// A site at `domain` that is old enough for everything.
    pub fn add_site(&mut self, id: u64, domain: &str) {
        let row = json!({
            "blog_id": id.to_string(), "site_id": "1", "domain": domain, "path": "/",
            "registered": "2025-01-01 00:00:00", "archived": "0", "spam": "0", "deleted": "0",
        });
        self.site.insert(id, object(row));
    }

    fn table(&mut self, name: &str) -> Option<&mut BTreeMap<u64, Row>> {
        match name {
            "domain" => Some(&mut self.domain),
            "site" => Some(&mut self.site),
            _ => None,
        }
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        let number = self.asked;
        self.asked += 1;
        if let Some(mut before) = self.before.take() {
            let answer = before(number, asked, self);
            self.before = Some(before);
            if let Some(answer) = answer {
                return answer;
            }
        }
        if asked.header("authorization") != Some(format!("Basic {}", encoded())) {
            return Answer::fault(401, "rest_forbidden", "Sorry, you are not allowed to do that.");
        }
        self.route(asked)
    }

    fn route(&mut self, asked: &Asked) -> Answer {
        let path = asked.route().strip_prefix("/wu/v2/").unwrap_or_default().to_owned();
        let (name, id) = path.split_once('/').unwrap_or((&path, ""));
        if name == "settings" {
            let interval = self.interval.clone();
            let none = || Answer::fault(404, "setting_not_found", "No such setting");
            return interval.map_or_else(none, |interval| Answer::json(200, &interval));
        }
        match (self.table(name).is_some(), asked.method.clone(), id.parse().ok()) {
            (true, Method::GET, None) => self.list(name, asked),
            (true, method, Some(id)) => self.row(name, &method, id, asked),
            (true, Method::POST, None) => self.create(asked),
            _ => Answer::fault(404, "rest_no_route", "No route was found."),
        }
    }

    fn list(&mut self, name: &str, asked: &Asked) -> Answer {
        let number =
            |key: &str, or| asked.query.get(key).map_or(or, |it| it.parse().expect("a number"));
        let (size, page): (usize, usize) = (number("per_page", 10), number("page", 1));
        assert!(size <= 100, "100 is the most");
        let no_filters = self.no_filters;
        let is_asked_for = |row: &&Row| {
            no_filters
                || asked.query.iter().all(|(key, value)| match row.get(key) {
                    Some(Value::String(text)) => text.eq_ignore_ascii_case(value),
                    _ => true,
                })
        };
        let table = self.table(name).expect("the route was found");
        let rows: Vec<_> = table.values().rev().filter(is_asked_for).collect();
        let total = rows.len();
        let page: Vec<_> = rows.into_iter().skip((page - 1) * size).take(size).collect();
        let headers = vec![
            ("x-wp-total", total.to_string()),
            ("x-wp-totalpages", total.div_ceil(size).to_string()),
        ];
        Answer::Said(200, headers, json!(page).to_string())
    }

    fn row(&mut self, name: &str, method: &Method, id: u64, asked: &Asked) -> Answer {
        let table = self.table(name).expect("the route was found");
        let Some(row) = table.get_mut(&id) else {
            return Answer::fault(404, "wu_rest_not_found", "Item not found");
        };
        match *method {
            Method::GET => Answer::json(200, &Value::Object(row.clone())),
            Method::DELETE => {
                table.remove(&id);
                Answer::json(200, &json!(1))
            }
            _ if name == "domain" && !is_valid(row["domain"].as_str().unwrap_or_default()) => {
                Answer::fault(500, "domain", "The Domain is not valid.")
            }
            _ => {
                let new = object(asked.json());
                let mut typed = row.clone();
                for (key, value) in new {
                    row.insert(key.clone(), as_read(&value));
                    typed.insert(key, value);
                }
                Answer::json(200, &Value::Object(typed))
            }
        }
    }

    fn create(&mut self, asked: &Asked) -> Answer {
        let new = object(asked.json());
        if self.domain.values().any(|row| row["domain"] == new["domain"]) {
            return Answer::fault(500, "wu_validation", "This domain is already mapped.");
        }
        let id = self.domain.keys().next_back().map_or(1, |last| last + 1);
        self.add_mapping(id, 0, "", "");
        let row = self.domain.get_mut(&id).expect("it was just made");
        row.extend(new.iter().map(|(key, value)| (key.clone(), as_read(value))));
        let mut typed = new;
        typed.insert("id".into(), id.into());
        Answer::json(200, &Value::Object(typed))
    }
}

/// Whether Ultimate Multisite's own validation takes a name: no wildcard, underscore, Unicode or
/// punycode top-level domain.
fn is_valid(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
    };
    let tld = domain.rsplit('.').next().unwrap_or_default();
    domain.split('.').all(is_label) && tld.bytes().all(|it| it.is_ascii_alphabetic())
}

fn object(value: Value) -> Row {
    let Value::Object(row) = value else { panic!("no object: {value}") };
    row
}

/// As the database stores it.
fn as_read(value: &Value) -> Value {
    match value {
        Value::Bool(value) => u8::from(*value).to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

fn shared(tables: Tables) -> (Arc<Mutex<Tables>>, impl Fn(&Asked) -> Answer + Send + Sync) {
    let tables = Arc::new(Mutex::new(tables));
    let answers = Arc::clone(&tables);
    (tables, move |asked: &Asked| locked(&answers).answer(asked))
}

/// A request that panicked has failed its test already.
fn locked(tables: &Mutex<Tables>) -> MutexGuard<'_, Tables> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A network that can be reached only by its REST API.
pub struct Multisite {
    /// What answers.
    pub server: Server,
    tables: Arc<Mutex<Tables>>,
}

impl Multisite {
    /// The network of `tables`, over plain http.
    pub async fn start(tables: Tables) -> Self {
        let (tables, answers) = shared(tables);
        Self { server: Server::start(answers).await, tables }
    }

    /// The same over https, and the authority that issued its certificate.
    pub async fn start_with_tls(tables: Tables) -> (Self, Certificate) {
        let (tables, answers) = shared(tables);
        let (server, authority) = Server::start_with_tls(answers).await;
        (Self { server, tables }, authority)
    }

    /// The current content; no request is answered while this lock is held.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        locked(&self.tables)
    }

    /// Do something before each request from now on, and maybe answer it: given how many came
    /// before it, the request, and what there is.
    pub fn before(
        &self,
        before: impl FnMut(usize, &Asked, &mut Tables) -> Option<Answer> + Send + 'static,
    ) {
        let mut tables = self.tables();
        tables.asked = 0;
        tables.before = Some(Box::new(before));
    }

    /// `id blog_id domain active primary_domain secure stage` of each mapping.
    pub fn rows(&self) -> Vec<String> {
        let columns = ["id", "blog_id", "domain", "active", "primary_domain", "secure", "stage"];
        let row = |row: &Row| columns.map(|it| row[it].as_str().unwrap_or_default()).join(" ");
        self.tables().domain.values().map(row).collect()
    }
}
