//! Which exchange is next in which run of which case, and what went wrong so far.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::case::Case;
use crate::request::Request;
use crate::script::Script;

/// What `/_sim/report` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Requests that were not as their case says, in the order they came.
    pub failures: Vec<Failure>,
    /// Cases that were begun and not played to the end, sorted.
    pub unused: Vec<Unused>,
}

/// A request that was not as its case says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The runner's word.
    pub run: String,
    /// The case's id.
    pub case: String,
    /// Names the exchange and the member, with both values.
    pub message: String,
}

/// A case that a run began and did not play to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// The runner's word.
    pub run: String,
    /// The case's id.
    pub case: String,
    /// How many of its exchanges nobody asked for.
    pub exchanges_left: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    cases: HashMap<String, Arc<Case>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// (run, case id) → what was asked so far.
    asked: BTreeMap<(String, String), Asked>,
    failures: Vec<Failure>,
}

/// What one run has asked of one case.
#[derive(Debug)]
struct Asked {
    requests: usize,
    /// The exchanges that were taken.
    taken: Vec<bool>,
    /// When the last request came.
    last: Option<Instant>,
}

impl Asked {
    fn of(case: &Case) -> Self {
        Self { requests: 0, taken: vec![false; case.exchanges.len()], last: None }
    }

    /// Takes the next exchange for a request of this path. Returns its place, and the milliseconds
    /// since the request before.
    fn take(&mut self, case: &Case, path: &str) -> (Option<usize>, Option<u128>) {
        self.requests += 1;
        let since = self.last.replace(Instant::now()).map(|last| last.elapsed().as_millis());
        let fits = |i: &usize| {
            !self.taken[*i] && (!case.by_path || case.exchanges[*i].expect.is_for(path))
        };
        let index = (0..self.taken.len()).find(fits);
        if let Some(index) = index {
            self.taken[index] = true;
        }
        (index, since)
    }
}

/// Exchange `index` of a case. It gives access to its script without a borrow from the registry.
#[derive(Debug, Clone)]
pub(crate) struct Playing {
    case: Arc<Case>,
    index: usize,
}

impl Playing {
    pub(crate) fn script(&self) -> &Script {
        self.case.exchanges[self.index].script()
    }
}

impl Registry {
    pub(crate) fn new(cases: Vec<Case>) -> Result<Self, String> {
        let mut by_id = HashMap::with_capacity(cases.len());
        for case in cases {
            if let Some(other) = by_id.insert(case.id.clone(), Arc::new(case)) {
                return Err(format!("the case {:?} is given twice", other.id));
            }
        }
        Ok(Self { cases: by_id, state: Mutex::default() })
    }

    /// Takes the request as the next one of its case. `target` is the request's, with the leading
    /// `/case/` removed. An error is the message for the refusing answer, and it is already in the
    /// report.
    pub(crate) fn next(&self, request: &Request<'_>, target: &str) -> Result<Playing, String> {
        let (run, id, path) = split_target(target);
        let mut messages = Vec::new();
        let mut playing = None;
        match self.cases.get(&id) {
            None => messages.push(format!("there is no case {id:?}")),
            Some(case) => {
                let (number, index, since) = {
                    let mut state = self.state();
                    let key = (run.clone(), id.clone());
                    let asked = state.asked.entry(key).or_insert_with(|| Asked::of(case));
                    let (index, since) = asked.take(case, &path);
                    (asked.requests, index, since)
                };
                match index {
                    None => messages.push(format!(
                        "request {number}: unexpected {} {path}, the case has {} exchange(s){}",
                        request.method,
                        case.exchanges.len(),
                        if case.by_path { ", none of this path is left" } else { "" }
                    )),
                    Some(index) => {
                        let expect = &case.exchanges[index].expect;
                        let differences = expect.differences(request, &path);
                        messages.extend(
                            expect
                                .too_early(since)
                                .into_iter()
                                .chain(differences)
                                .map(|text| format!("request {number}: {text}")),
                        );
                        playing = Some(Playing { case: Arc::clone(case), index });
                    }
                }
            }
        }
        if messages.is_empty() {
            return playing.ok_or_else(String::new);
        }
        let text = messages.join("; ");
        let failure = |message| Failure { run: run.clone(), case: id.clone(), message };
        self.state().failures.extend(messages.into_iter().map(failure));
        Err(text)
    }

    pub(crate) fn report(&self) -> Report {
        let state = self.state();
        let left = |((run, case), asked): (&(String, String), &Asked)| {
            let exchanges_left = asked.taken.iter().filter(|taken| !**taken).count();
            (exchanges_left > 0).then(|| Unused {
                run: run.clone(),
                case: case.clone(),
                exchanges_left,
            })
        };
        Report {
            failures: state.failures.clone(),
            unused: state.asked.iter().filter_map(left).collect(),
        }
    }

    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `<run>/<id with ~>/<rest>?query` → run, id, `/<rest>?query`.
fn split_target(target: &str) -> (String, String, String) {
    let (path, query) = target.find('?').map_or((target, ""), |at| target.split_at(at));
    let mut parts = path.splitn(3, '/');
    let mut segment = || percent_decoded(parts.next().unwrap_or_default());
    let (run, id) = (segment(), segment().replace('~', "/"));
    (run, id, format!("/{}{query}", parts.next().unwrap_or_default()))
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        let digits = rest
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                bytes = &rest[2..];
            }
            None => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path under which a case is served; the inverse of `split_target`.
pub(crate) fn case_path(run: &str, id: &str) -> String {
    format!("/case/{}/{}", percent_encoded(run), percent_encoded(&id.replace('/', "~")))
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}
