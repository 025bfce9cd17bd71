//! The REST API of Ultimate Multisite, as far as it is known: pages of a hundred, newest first,
//! values as strings where they were read and typed where they were just written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rules::source::StageWrite;
use rules::{DomainName, Stage};
use serde_json::{Map, Value, json};
use wordpress::http::Place;
use wordpress::rest::{Credentials, KeyPair, RestNetwork, Settings, Timeouts};

use crate::server::{Answer, Asked, Server};

const KEY: &str = "k3y";
const SECRET: &str = "s3cret";

/// What the network holds, and how it behaves.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) domain: BTreeMap<u64, Map<String, Value>>,
    pub(crate) site: BTreeMap<u64, Map<String, Value>>,
    /// What `settings/dns_check_interval` answers.
    pub(crate) interval: Option<Value>,
    /// Whether filters are followed.
    pub(crate) no_filters: bool,
    /// What to do and maybe to answer before each request, by how many came before it.
    #[expect(clippy::type_complexity, reason = "one place, one closure")]
    pub(crate) before: Option<Box<dyn FnMut(usize, &Asked, &mut Tables) -> Option<Answer> + Send>>,
    asked: usize,
}

impl Tables {
    pub(crate) fn add_mapping(&mut self, id: u64, site: u64, domain: &str, stage: &str) {
        let row = json!({
            "id": id.to_string(), "blog_id": site.to_string(), "domain": domain, "stage": stage,
            "active": "1", "primary_domain": "0", "secure": "0",
        });
        self.domain.insert(id, row.as_object().unwrap().clone());
    }

    pub(crate) fn add_site(&mut self, id: u64, domain: &str) {
        let row = json!({
            "blog_id": id.to_string(), "site_id": "1", "domain": domain, "path": "/",
            "registered": "2025-01-01 00:00:00", "archived": "0", "spam": "0", "deleted": "0",
        });
        self.site.insert(id, row.as_object().unwrap().clone());
    }

    fn table(&mut self, name: &str) -> Option<&mut BTreeMap<u64, Map<String, Value>>> {
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
        let right = format!("Basic {}", STANDARD.encode(format!("{KEY}:{SECRET}")));
        if asked.header("authorization") != Some(right) {
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
        let number = |key: &str, or| asked.query.get(key).map_or(or, |it| it.parse().unwrap());
        let (size, page): (usize, usize) = (number("per_page", 10), number("page", 1));
        assert!(size <= 100, "100 is the most");
        let no_filters = self.no_filters;
        let is_asked_for = |row: &&Map<String, Value>| {
            no_filters
                || asked.query.iter().all(|(key, value)| match row.get(key) {
                    Some(Value::String(text)) => text.eq_ignore_ascii_case(value),
                    _ => true,
                })
        };
        let table = self.table(name).unwrap();
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
        let table = self.table(name).unwrap();
        let Some(row) = table.get_mut(&id) else {
            return Answer::fault(404, "wu_rest_not_found", "Item not found");
        };
        match *method {
            Method::GET => Answer::json(200, &Value::Object(row.clone())),
            Method::DELETE => {
                table.remove(&id);
                Answer::json(200, &json!(1))
            }
            _ => {
                let Value::Object(new) = asked.json() else { panic!("{asked:?}") };
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
        let Value::Object(new) = asked.json() else { panic!("{asked:?}") };
        if self.domain.values().any(|row| row["domain"] == new["domain"]) {
            return Answer::fault(500, "wu_validation", "This domain is already mapped.");
        }
        let id = self.domain.keys().next_back().map_or(1, |last| last + 1);
        self.add_mapping(id, 0, "", "");
        let row = self.domain.get_mut(&id).unwrap();
        row.extend(new.iter().map(|(key, value)| (key.clone(), as_read(value))));
        let mut typed = new;
        typed.insert("id".into(), id.into());
        Answer::json(200, &Value::Object(typed))
    }
}

/// As the database holds it.
fn as_read(value: &Value) -> Value {
    match value {
        Value::Bool(value) => u8::from(*value).to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

/// A network of which only this is in reach.
pub(crate) struct Multisite {
    pub(crate) server: Server,
    tables: Arc<Mutex<Tables>>,
}

impl Multisite {
    /// `localhost` with its main site of id 1, `shop.example` (2) and `other.example` (3).
    pub(crate) async fn start() -> Self {
        let mut tables = Tables { interval: Some(json!("120")), ..Tables::default() };
        tables.add_site(1, "localhost");
        tables.add_site(2, "Shop.example");
        tables.add_site(3, "other.example");
        let tables = Arc::new(Mutex::new(tables));
        let answers = Arc::clone(&tables);
        let server = Server::start(move |asked| answers.lock().unwrap().answer(asked)).await;
        Self { server, tables }
    }

    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    /// Do something before each request, and maybe answer it.
    pub(crate) fn before(
        &self,
        before: impl FnMut(usize, &Asked, &mut Tables) -> Option<Answer> + Send + 'static,
    ) {
        let mut tables = self.tables();
        tables.asked = 0;
        tables.before = Some(Box::new(before));
    }

    pub(crate) fn network(&self) -> RestNetwork {
        self.network_with(&format!("{KEY}:{SECRET}"))
    }

    pub(crate) fn network_with(&self, credentials: &str) -> RestNetwork {
        let pair = KeyPair::parse(&credentials.into()).unwrap();
        let settings = Settings {
            place: Place::at(self.server.url()).unwrap(),
            credentials: Credentials::Given(pair),
            timeouts: SHORT,
            plugin: None,
            cache: None,
        };
        RestNetwork::new(settings)
    }

    /// `id blog_id domain active primary_domain secure stage` of each mapping.
    pub(crate) fn rows(&self) -> Vec<String> {
        let columns = ["id", "blog_id", "domain", "active", "primary_domain", "secure", "stage"];
        let row = |row: &Map<String, Value>| {
            columns.map(|it| row[it].as_str().unwrap().to_owned()).join(" ")
        };
        self.tables().domain.values().map(row).collect()
    }
}

/// Short enough to wait for, long enough for a busy machine.
pub(crate) const SHORT: Timeouts = Timeouts {
    write: Duration::from_secs(2),
    list: Duration::from_secs(2),
    pause: Duration::from_millis(1),
};

pub(crate) fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

pub(crate) fn write(mapping_id: u64, from: Option<Stage>, to: Stage) -> StageWrite {
    StageWrite { mapping_id, from, to, secure: to == Stage::Done }
}
