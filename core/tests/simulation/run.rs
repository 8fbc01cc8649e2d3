//! Runs a schedule and writes down what its callers saw.

use std::sync::Arc;
use std::time::Duration;

use liter_llm_core::error::Attempt;
use liter_llm_core::{Client, Config, Error, Outcome, Response, Step};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::network::{CALL, Net};
use super::schedule::{Plan, Schedule};
use super::world::{Stamp, World};

/// Everything that is known of a run.
pub(crate) struct Report {
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) world: Arc<World>,
    pub(crate) calls: Vec<Call>,
    /// When the client was told to close.
    pub(crate) closed: Option<Stamp>,
    /// What the client said of itself when every call had ended.
    pub(crate) in_flight: usize,
    pub(crate) metrics: String,
    pub(crate) prometheus: String,
}

/// What a caller saw.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) begun: Stamp,
    pub(crate) end: Option<(Stamp, Ending)>,
    /// The text of its chunks.
    pub(crate) text: String,
    /// When its first content came.
    pub(crate) content: Option<Stamp>,
    /// How often its stream began anew.
    pub(crate) restarts: usize,
    /// How long after its deadline something that it waited for came at the latest.
    pub(crate) late: Duration,
    /// Every document that it was given.
    pub(crate) documents: String,
}

#[derive(Debug)]
pub(crate) enum Ending {
    Answer(Answer),
    /// A fan-out's.
    Many(Vec<Answer>, Vec<Error>),
    Failure(Error),
    /// The caller gave up.
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) provider: String,
    pub(crate) attempts: Vec<Attempt>,
}

/// Longer than any call may take.
const HANG: Duration = Duration::from_secs(10_000);
/// How long a socket may outlive its call.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Runs the schedule of this seed.
pub(crate) fn run(seed: u64) -> Report {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(play(Arc::new(Schedule::new(seed))))
}

async fn play(schedule: Arc<Schedule>) -> Report {
    let world = Arc::new(World::new());
    let config = Config::parse(schedule.config.to_string().as_bytes()).expect("a configuration");
    let net = Net { world: Arc::clone(&world), schedule: Arc::clone(&schedule) };
    let client = Client::with_network(config, Vec::new(), Arc::new(net), schedule.seed);
    let tasks: Vec<_> = (0..schedule.calls.len())
        .map(|number| {
            let caller = Caller {
                number,
                client: client.clone(),
                world: Arc::clone(&world),
                schedule: Arc::clone(&schedule),
            };
            tokio::spawn(caller.run())
        })
        .collect();
    let close = schedule.close.map(|(when, grace)| {
        let (client, world) = (client.clone(), Arc::clone(&world));
        tokio::spawn(async move {
            sleep_until(world.at(when)).await;
            let stamp = world.note(format_args!("the client is closed, with {grace:?} of grace"));
            client.close(grace).await;
            stamp
        })
    });
    let mut calls = Vec::new();
    for (number, task) in tasks.into_iter().enumerate() {
        let begun = Stamp { order: 0, at: Duration::ZERO };
        let unknown = || Call {
            begun,
            end: None,
            text: String::new(),
            content: None,
            restarts: 0,
            late: Duration::ZERO,
            documents: String::new(),
        };
        calls.push(match timeout(HANG, task).await {
            Ok(Ok(call)) => call,
            Ok(Err(error)) => {
                world.log().wrong.push(format!("call {number} panicked: {error}"));
                unknown()
            }
            Err(_) => {
                world.log().wrong.push(format!("call {number} never ended"));
                unknown()
            }
        });
    }
    let closed = match close {
        Some(close) => close.await.ok(),
        None => None,
    };
    // What is closed late is closed now.
    sleep(GRACE * 2).await;
    let in_flight = client.in_flight();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (metrics, prometheus) = (text(client.metrics_json()), text(client.metrics_prometheus()));
    if closed.is_none() && schedule.seed.is_multiple_of(2) {
        client.close(Duration::ZERO).await;
    }
    drop(client);
    sleep(GRACE * 2).await;
    Report { schedule, world, calls, closed, in_flight, metrics, prometheus }
}

struct Caller {
    number: usize,
    client: Client,
    world: Arc<World>,
    schedule: Arc<Schedule>,
}

impl Caller {
    async fn run(self) -> Call {
        let plan = &self.schedule.calls[self.number];
        sleep_until(self.world.at(plan.start)).await;
        let number = self.number;
        let begun = self.world.note(format_args!("call {number} begins"));
        let mut call = Call {
            begun,
            end: None,
            text: String::new(),
            content: None,
            restarts: 0,
            late: Duration::ZERO,
            documents: String::new(),
        };
        let deadline = Instant::now() + plan.time;
        let talk = CALL.scope(number, self.talk(plan, deadline, &mut call));
        let ending = match plan.cancel {
            Some(after) => timeout(after, talk).await.unwrap_or(Ending::Cancelled),
            None => talk.await,
        };
        let what = match &ending {
            Ending::Answer(Answer { text, attempts, .. }) => {
                format!("answered: {text:?}{}", brief(attempts))
            }
            Ending::Failure(error) => format!("failed: {error}{}", brief(&error.attempts)),
            Ending::Many(answers, failures) => {
                let mut what = format!("{} answers:", answers.len());
                answers.iter().for_each(|answer| what += &brief(&answer.attempts));
                what += ", failed:";
                failures.iter().for_each(|error| what += &brief(&error.attempts));
                what
            }
            Ending::Cancelled => "cancelled by its caller".to_owned(),
        };
        call.end = Some((self.world.note(format_args!("call {number} {what}")), ending));
        call
    }

    async fn talk(&self, plan: &Plan, deadline: Instant, call: &mut Call) -> Ending {
        let request = plan.request.to_string();
        let mut since = Instant::now();
        // Lateness counts from when something was waited for: a slow reader may ask after the end.
        let late = |call: &mut Call, since: Instant| {
            let over = Instant::now().saturating_duration_since(deadline.max(since));
            call.late = call.late.max(over);
        };
        if !plan.stream {
            let outcome = self.client.answer(request.as_bytes(), b"").await;
            late(call, since);
            return match outcome {
                Ok(Outcome::Answer(whole)) => Ending::Answer(answer(call, *whole.chat().unwrap())),
                Ok(Outcome::Many(many)) => {
                    let answers = many
                        .results
                        .into_iter()
                        .map(|response| answer(call, *response.chat().unwrap()));
                    let answers = answers.collect();
                    many.failures.iter().for_each(|error| failure(call, error));
                    Ending::Many(answers, many.failures)
                }
                Ok(Outcome::Http(_) | Outcome::Purged(_) | Outcome::Budget(_)) => {
                    unreachable!("nobody asked for it")
                }
                Err(error) => failed(call, error),
            };
        }
        let opened = self.client.stream(request.as_bytes(), b"").await;
        late(call, since);
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(error) => return failed(call, error),
        };
        loop {
            if !plan.pause.is_zero() {
                sleep(plan.pause).await;
            }
            since = Instant::now();
            let step = stream.next().await;
            late(call, since);
            match step {
                Ok(Step::Chunks(chunks)) => {
                    for chunk in chunks {
                        let mut document = Vec::new();
                        chunk.write_json(&mut document);
                        call.documents += &String::from_utf8_lossy(&document);
                        let texts = chunk.choices.iter().filter_map(|c| c.delta.content.as_deref());
                        let before = call.text.len();
                        call.text.extend(texts);
                        if call.text.len() > before && call.content.is_none() {
                            let number = self.number;
                            let what = format_args!("call {number} has its first content");
                            call.content = Some(self.world.note(what));
                        }
                    }
                }
                Ok(Step::Restarted(reset)) => {
                    self.world.note(format_args!("call {}: {reset:?}", self.number));
                    call.text.clear();
                    call.content = None;
                    call.restarts += 1;
                }
                Ok(Step::Done(response)) => return Ending::Answer(answer(call, *response)),
                Err(error) => return failed(call, error),
            }
        }
    }
}

fn answer(call: &mut Call, response: Response) -> Answer {
    call.documents += &String::from_utf8_lossy(&response.to_json());
    let text = response.text().to_owned();
    let Response { provider, liter, .. } = response;
    Answer { text, provider, attempts: liter.attempts }
}

fn failed(call: &mut Call, error: Error) -> Ending {
    failure(call, &error);
    Ending::Failure(error)
}

fn failure(call: &mut Call, error: &Error) {
    call.documents += &String::from_utf8_lossy(&error.to_json());
    call.documents += &format!("{error:?} {error}");
}

fn brief(attempts: &[Attempt]) -> String {
    let one = |attempt: &Attempt| {
        let status = attempt.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let kind = attempt.kind.map_or("ok", |kind| kind.name());
        let hedge = if attempt.hedge { " hedge" } else { "" };
        format!(" [{} {status} {kind} {} ms{hedge}]", attempt.target, attempt.ms)
    };
    attempts.iter().map(one).collect()
}
