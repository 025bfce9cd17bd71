//! `closte-sync explain`: why domains are as they are, whose turn it is, and what exactly to change.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::ValueEnum;
use engine::ops::{self, Explained, Explanation};
use engine::texts::findings::{ForOwner, Language, records, text, turn};
use rules::explain::Ending;
use rules::finding::{Actor, Code, Finding, RecordChange, Said, Severity};
use tokio_util::sync::CancellationToken;

use super::console::Tone;
use super::{Console, Context, Exit, Failure, report};
use crate::clock::{rfc3339, to_the_minute};
use crate::view::ExplanationView;
use crate::wiring::{Explainer, Host};

/// Explain why domains are as they are, whose turn it is, and what exactly to change
///
/// Any name, mapped or not. Everything is asked afresh, nothing is changed. Ends with 0 where all are
/// ready, 1 where somebody must act, 2 where it could not be found out, 3 where it comes right by
/// waiting.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domains, for example `shop.example.com`
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Look again at the network's interval, and say what changes, until all are ready
    #[arg(long)]
    watch: bool,

    /// Write a text for somebody, ready for a mail
    #[arg(long = "for", value_name = "WHOM", value_enum)]
    reader: Option<Reader>,

    /// The language: that of LANG, unless this is given
    #[arg(long, value_name = "LANGUAGE", value_enum)]
    lang: Option<Lang>,
}

/// Whom a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reader {
    /// The owner of the domain
    Owner,
}

/// A language that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English
    En,
    /// Dutch
    Nl,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let language = match self.lang {
            Some(Lang::En) => Language::English,
            Some(Lang::Nl) => Language::Dutch,
            None => context.environment.language(),
        };
        let explainer = context.wiring().explainer(Host::Asked).await?;
        let mut teller = Teller {
            console: context.console,
            language,
            reader: self.reader,
            watch: self.watch,
            shown: None,
            unread: BTreeSet::new(),
        };
        for failure in &explainer.unread {
            teller.goes_on_without(&failure.in_one_line().0);
        }
        if self.watch {
            return watch(&explainer, &self.names, &mut teller).await;
        }
        let explanation = ops::explain(&explainer.explaining(), &self.names).await?;
        teller.tell(&explanation);
        Ok(exit(&explanation))
    }
}

/// Look again and again until all are ready, or somebody ends it.
async fn watch(
    explainer: &Explainer,
    names: &[String],
    teller: &mut Teller,
) -> Result<Exit, Failure> {
    let stop = CancellationToken::new();
    report::stop_on_signals(&stop);
    let (mut ended, mut interval) = (None, None);
    loop {
        let explaining = explainer.explaining();
        let asked = ops::explain(&explaining, names);
        match stop.run_until_cancelled(asked).await {
            None => break,
            Some(Ok(explanation)) => {
                teller.tell(&explanation);
                ended = Some(exit(&explanation));
                interval = Some(explanation.interval);
            }
            // What was never right will not be by itself.
            Some(Err(failure)) if interval.is_none() => return Err(failure),
            Some(Err(failure)) => _ = teller.console.fail(&failure),
        }
        let pause = tokio::time::sleep(interval.unwrap_or_default());
        if ended == Some(Exit::Done) || stop.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
    Ok(ended.unwrap_or(Exit::CouldNot))
}

/// How the command ends.
fn exit(explanation: &Explanation) -> Exit {
    match explanation.ending() {
        Ending::Ready => Exit::Done,
        Ending::SomebodyMustAct => Exit::No,
        Ending::CouldNotFindOut => Exit::CouldNot,
        Ending::Wait => Exit::Wait,
    }
}

/// Says what was found, and in a watch only what is new.
struct Teller {
    console: Console,
    language: Language,
    reader: Option<Reader>,
    watch: bool,
    shown: Option<Gist>,
    unread: BTreeSet<String>,
}

/// What of an explanation is news where it changes: not when somebody said it, nor when it is looked at
/// next.
type Gist = Vec<(bool, Vec<(Code, Severity, Vec<RecordChange>)>)>;

fn gist(explanation: &Explanation) -> Gist {
    let findings = |all: &[Finding]| {
        all.iter().map(|it| (it.code, it.severity, it.records.clone())).collect::<Vec<_>>()
    };
    let domains = explanation.domains.iter().map(|it| (it.ready, findings(&it.findings)));
    domains.chain([(false, findings(&explanation.network))]).collect()
}

impl Teller {
    /// Tell once what could not be read.
    fn goes_on_without(&mut self, what: &str) {
        if self.unread.insert(what.to_owned()) {
            self.console.tell(format!("attention: {what}; it goes on without that"));
        }
    }

    fn tell(&mut self, explanation: &Explanation) {
        for what in &explanation.unread {
            self.goes_on_without(what);
        }
        let gist = Some(gist(explanation));
        if self.watch && self.shown == gist {
            return;
        }
        let first = self.shown.is_none();
        self.shown = gist;
        if self.console.is_json() {
            let for_owner = |domain: &Explained| self.reader.map(|Reader::Owner| self.mail(domain));
            let view = ExplanationView::of(explanation, self.language, for_owner);
            if self.watch {
                return self.console.json_line(&view);
            }
            return self.console.json(&view);
        }
        let text = match self.reader {
            Some(Reader::Owner) => {
                explanation.domains.iter().map(|it| self.mail(it)).collect::<Vec<_>>().join("\n")
            }
            None => self.text(explanation),
        };
        self.console.say(if first { text } else { format!("\n{text}") });
    }

    /// The text for the owner of a domain.
    fn mail(&self, domain: &Explained) -> String {
        let next_check = domain.next_check.map(to_the_minute);
        let Explained { display, ready, findings, .. } = domain;
        let (domain, ready, next_check) = (display.as_str(), *ready, next_check.as_deref());
        ForOwner { domain, ready, findings, next_check }.text(self.language)
    }

    fn text(&self, explanation: &Explanation) -> String {
        let mut parts: Vec<String> = explanation.domains.iter().map(|it| self.domain(it)).collect();
        if !explanation.network.is_empty() {
            let mut part = format!("{}\n", self.language.labels().network);
            self.list(&mut part, &explanation.network);
            parts.push(part);
        }
        parts.join("\n")
    }

    /// One domain: what must be mended first, what else there is, who said so.
    fn domain(&self, domain: &Explained) -> String {
        let labels = self.language.labels();
        let (first, others) = match domain.findings.as_slice() {
            [first, others @ ..] if !domain.ready => (Some(first), others),
            all => (None, all),
        };
        let headline = match first {
            Some(first) => self.console.paint(first.code.as_str(), tone(first)),
            None if domain.ready => self.console.paint(labels.ready, Tone::Good),
            None => labels.not_seen.to_owned(),
        };
        let mut part = format!("{}: {headline}\n", domain.display);
        if let Some(first) = first {
            finding(&mut part, first, self.language, "  ");
        }
        if !others.is_empty() {
            let _ = writeln!(part, "\n  {}", labels.also);
            self.list(&mut part, others);
        }
        let mut said: Vec<&Said> = Vec::new();
        for one in domain.findings.iter().flat_map(|it| &it.evidence).chain(&domain.seen) {
            if !said.contains(&one) {
                said.push(one);
            }
        }
        if !said.is_empty() {
            let _ = writeln!(part, "\n  {}", labels.evidence);
        }
        for said in said {
            let _ = writeln!(part, "    {}  {}: {}", rfc3339(said.at), said.source, said.said);
        }
        if let Some(at) = domain.next_check {
            let _ = writeln!(part, "\n  {}: {}", labels.next_check, rfc3339(at));
        }
        part
    }

    fn list(&self, part: &mut String, findings: &[Finding]) {
        for it in findings {
            let code = self.console.paint(it.code.as_str(), tone(it));
            let _ = writeln!(part, "    {code} ({})", it.severity);
            finding(part, it, self.language, "      ");
        }
    }
}

/// Add to `part` what is so and what to do, whose turn it is, and the records.
pub(super) fn finding(part: &mut String, finding: &Finding, language: Language, indent: &str) {
    let labels = language.labels();
    let _ = writeln!(part, "{indent}{}", text(finding, language));
    if finding.severity != Severity::Info || finding.actor() == Actor::Nobody {
        let whose = turn(finding.actor(), language);
        let _ = writeln!(part, "{indent}{}: {whose}", labels.whose_turn);
    }
    if let Some(until) = finding.wait_until {
        let _ = writeln!(part, "{indent}{}: {}", labels.wait_until, rfc3339(until));
    }
    if !finding.records.is_empty() {
        let table = records(&finding.records, &format!("{indent}  "), language);
        let _ = write!(part, "\n{indent}{}\n{table}", labels.records);
    }
}

/// How a finding is meant.
fn tone(finding: &Finding) -> Tone {
    match (finding.severity, finding.actor()) {
        (Severity::Error, Actor::Nobody) | (Severity::Info, _) => Tone::Waiting,
        (Severity::Error, _) => Tone::Bad,
        (Severity::Warn, _) => Tone::Warn,
    }
}
