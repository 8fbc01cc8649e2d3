//! A server on its own thread that answers each request by a function of it and of its number.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// A value of the form that is the body.
    pub(crate) fn form(&self, name: &str) -> String {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.filter(|(own, _)| *own == name).map(|(_, value)| value).next();
        let bytes = percent_encoding::percent_decode_str(found.unwrap_or_default());
        bytes.decode_utf8().unwrap().into_owned()
    }
}

/// Status, further header lines, body.
pub(crate) type Said = (u16, String, String);

/// What a fake says: an answer with or without further header lines.
pub(crate) trait Says: 'static {
    fn said(self) -> Said;
}

impl Says for Said {
    fn said(self) -> Said {
        self
    }
}

impl Says for (u16, String) {
    fn said(self) -> Said {
        (self.0, String::new(), self.1)
    }
}

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Ask>>>,
}

impl Fake {
    pub(crate) fn new<S: Says>(answer: impl Fn(usize, &Ask) -> S + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let (kept, answer) =
            (Arc::clone(&asked), Arc::new(move |n, ask: &Ask| answer(n, ask).said()));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (asked, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(socket.unwrap(), &asked, &*answer));
            }
        });
        Fake { url, asked }
    }

    pub(crate) fn saying(answer: &str) -> Fake {
        let answer = answer.to_owned();
        Fake::new(move |_, _| (200, answer.clone()))
    }

    pub(crate) fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(mut socket: TcpStream, asked: &Mutex<Vec<Ask>>, answer: &dyn Fn(usize, &Ask) -> Said) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        let read = socket.read(&mut part).unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            break (head.to_owned(), length);
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    let ask = Ask {
        method: first.next().unwrap(),
        target: first.next().unwrap(),
        headers: lines.map(header).collect(),
        body: text[text.len() - length..].to_owned(),
    };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(ask.clone());
        asked.len() - 1
    };
    let (status, headers, body) = answer(number, &ask);
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n{headers}");
    // A redirect has to say where to.
    let place = if (300..400).contains(&status) { "location: http://127.0.0.1:1/\r\n" } else { "" };
    let _ = write!(socket, "{head}{place}content-length: {length}\r\n\r\n{body}");
}

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("liter-cred-{}-{n}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// What is no small file: a pipe, a device without an end, a folder, and none at all.
    pub(crate) fn no_files(&self) -> Vec<PathBuf> {
        let pipe = self.0.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        vec![pipe, "/dev/zero".into(), self.0.clone(), "/nowhere/file".into()]
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
