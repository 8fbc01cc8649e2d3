//! HTTP/2 servers that leave. What they did not take goes again at once, with retries off too. What
//! they may have taken does not.
//!
//! The server speaks in frames of its own making (RFC 9113, 4.1), because no library lets a test
//! choose the last stream of a GOAWAY.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::{ASK, answer, assert_says, call, client, failure, until, within};
use liter_llm_core::{Client, ErrorKind, Outcome};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const REFUSED_STREAM: u8 = 7;

/// One connection of the server.
struct Peer {
    socket: TcpStream,
    /// The streams that it took, in the order in which they began.
    taken: Vec<u32>,
    /// How many streams it takes. Later ones are ignored.
    most: usize,
}

impl Peer {
    async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        let _ = self.socket.write_all(&frame).await;
    }

    /// The stream of the next whole request.
    async fn request(&mut self) -> Option<u32> {
        loop {
            let mut head = [0; 9];
            self.socket.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.socket.read_exact(&mut payload).await.ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            match (head[3], head[4]) {
                (SETTINGS, flags) if flags & ACK == 0 => self.frame(SETTINGS, ACK, 0, b"").await,
                (HEADERS, _) if self.taken.len() < self.most => self.taken.push(stream),
                (DATA, flags) if flags & END_STREAM != 0 && self.taken.contains(&stream) => {
                    return Some(stream);
                }
                _ => {}
            }
        }
    }

    async fn reply(&mut self, stream: u32) {
        // 0x88 is the status 200 (RFC 7541, appendix A).
        self.frame(HEADERS, END_HEADERS, stream, b"\x88").await;
        self.frame(DATA, END_STREAM, stream, answer("good").as_bytes()).await;
    }

    /// Says that it leaves in good order, and that `last` is the last stream that it took.
    async fn leave(&mut self, last: u32) {
        let mut payload = last.to_be_bytes().to_vec();
        payload.extend([0; 4]);
        self.frame(GOAWAY, 0, 0, &payload).await;
    }

    async fn refuse(&mut self, stream: u32) {
        self.frame(RST_STREAM, 0, stream, &[0, 0, 0, REFUSED_STREAM]).await;
    }
}

/// `play` gets each connection with its number.
async fn server<F, P>(play: F) -> String
where
    F: Fn(usize, Peer) -> P + Send + Sync + 'static,
    P: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let play = Arc::new(play);
    tokio::spawn(async move {
        for n in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            let play = Arc::clone(&play);
            tokio::spawn(async move {
                let mut peer = Peer { socket, taken: Vec::new(), most: usize::MAX };
                let mut preface = [0; 24];
                if peer.socket.read_exact(&mut preface).await.is_err() {
                    return;
                }
                peer.frame(SETTINGS, 0, 0, b"").await;
                play(n, peer).await;
            });
        }
    });
    url
}

fn prior(url: &str) -> Client {
    client(url, json!({"http": "2"}))
}

/// Starts a call, and waits until `taken` is so many.
async fn started(client: &Client, calls: &mut JoinSet<Called>, taken: &AtomicUsize, many: usize) {
    let client = client.clone();
    calls.spawn(async move { call(&client).await.map(|response| response.text().to_owned()) });
    until(|| taken.load(Ordering::SeqCst) == many).await;
}

type Called = Result<String, liter_llm_core::Error>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_leaves_after_five_requests_costs_no_call() {
    const CALLS: usize = 500;
    let taken = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&taken);
    let url = server(move |_, mut peer| {
        let taken = Arc::clone(&seen);
        async move {
            peer.most = 5;
            let mut left = false;
            // When its five are answered, it waits until the client has closed.
            while let Some(stream) = peer.request().await {
                taken.fetch_add(1, Ordering::SeqCst);
                if peer.taken.len() == 5 && !left {
                    left = true;
                    peer.leave(peer.taken[4]).await;
                }
                peer.reply(stream).await;
            }
        }
    })
    .await;
    let client = prior(&url);
    let left = Arc::new(AtomicUsize::new(CALLS));
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (client, left) = (client.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            let next = |n: usize| n.checked_sub(1);
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok() {
                let response = within(client.call(ASK, b"")).await.unwrap();
                let attempts = &response.liter.attempts;
                assert!(attempts.len() == 1 && !attempts[0].may_be_billed, "{attempts:?}");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(taken.load(Ordering::SeqCst), CALLS, "each was processed once");
}

#[tokio::test]
async fn only_the_streams_after_the_last_are_sent_again() {
    // Two requests are on their way when the server leaves. It took `last`, and is gone.
    for (last, lost) in [(0, 0), (1, 1), (3, 2), (u32::MAX >> 1, 2)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&taken);
        let url = server(move |n, mut peer| {
            let taken = Arc::clone(&seen);
            async move {
                while let Some(stream) = peer.request().await {
                    let before = taken.fetch_add(1, Ordering::SeqCst);
                    match (n, before) {
                        (0, 0) => {}
                        (0, _) => return peer.leave(last).await,
                        _ => peer.reply(stream).await,
                    }
                }
            }
        })
        .await;
        let client = prior(&url);
        let mut calls = JoinSet::new();
        started(&client, &mut calls, &taken, 1).await;
        started(&client, &mut calls, &taken, 2).await;
        let (good, bad): (Vec<_>, Vec<_>) =
            within(calls.join_all()).await.into_iter().partition(|call| call.is_ok());
        assert_eq!((good.len(), bad.len()), (2 - lost, lost), "after {last}: {bad:?}");
        for error in bad {
            let error = error.unwrap_err();
            assert_says(&error, ErrorKind::Connection, "lost before an answer came");
            assert!(error.attempts.len() == 1 && error.attempts[0].may_be_billed, "{error:?}");
        }
        assert_eq!(taken.load(Ordering::SeqCst), 2 + good.len(), "after {last}");
    }
}

#[tokio::test]
async fn a_connection_that_is_leaving_gets_no_request() {
    // More connections leave than a request is sent again, and each still has a stream open.
    const LEAVING: usize = 6;
    let taken = Arc::new(AtomicUsize::new(0));
    let of = Arc::new(Mutex::new(HashMap::<usize, usize>::new()));
    let (seen, counts) = (Arc::clone(&taken), Arc::clone(&of));
    let url = server(move |n, mut peer| {
        let (taken, of) = (Arc::clone(&seen), Arc::clone(&counts));
        async move {
            while let Some(stream) = peer.request().await {
                *of.lock().unwrap().entry(n).or_default() += 1;
                if n < LEAVING {
                    peer.leave(stream).await;
                } else {
                    peer.reply(stream).await;
                }
                taken.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let client = prior(&url);
    let mut calls = JoinSet::new();
    for many in 1..=LEAVING {
        started(&client, &mut calls, &taken, many).await;
    }
    assert_eq!(call(&client).await.unwrap().text(), "good");
    assert_eq!(call(&client).await.unwrap().text(), "good");
    let of = of.lock().unwrap();
    assert!((0..LEAVING).all(|n| of[&n] == 1) && of[&LEAVING] == 2, "{of:?}");
}

#[tokio::test]
async fn what_is_passed_through_is_sent_again_too() {
    let url = server(|n, mut peer| async move {
        while let Some(stream) = peer.request().await {
            match n {
                0 => peer.leave(0).await,
                _ => peer.reply(stream).await,
            }
        }
    })
    .await;
    let request = json!({"op": "http", "url": format!("{url}/x"), "method": "POST", "body": "x"});
    let answer = within(prior(&url).answer(request.to_string().as_bytes(), b"")).await.unwrap();
    let Outcome::Http(answer) = answer else { panic!("not passed through") };
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_request_that_nobody_takes_ends() {
    for refuses in [true, false] {
        let taken = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&taken);
        let url = server(move |_, mut peer| {
            let taken = Arc::clone(&seen);
            async move {
                while let Some(stream) = peer.request().await {
                    taken.fetch_add(1, Ordering::SeqCst);
                    match refuses {
                        true => peer.refuse(stream).await,
                        false => peer.leave(0).await,
                    }
                }
            }
        })
        .await;
        let error = failure(&prior(&url)).await;
        assert_says(&error, ErrorKind::Connection, "lost before an answer came");
        assert!(error.attempts.len() == 1 && !error.attempts[0].may_be_billed, "{error:?}");
        assert_eq!(taken.load(Ordering::SeqCst), 4);
    }
}
