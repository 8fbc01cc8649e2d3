//! A proxy before a server, which may be silent, slow, gone, or say what the server never would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use liter_llm_core::redis::Address;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of what clients send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It goes on to the server.
    On,
    /// It is read, and nobody answers.
    Silent,
    /// Answers come later by this time.
    Slow(Duration),
    /// Each connection is closed at once.
    Cut,
    /// This is the answer to each piece.
    Says(Vec<u8>),
}

pub(crate) struct Proxy {
    pub(crate) address: Address,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
    connections: Arc<Mutex<u32>>,
}

impl Proxy {
    pub(crate) async fn before(server: Address) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, ways) = watch::channel(Way::On);
        let connections = Arc::new(Mutex::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(serve(socket, server.clone(), ways.clone()));
            }
        });
        let address = Address { host: "127.0.0.1".to_owned(), port };
        Proxy { address, way, task, connections }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> u32 {
        *self.connections.lock().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, server: Address, mut ways: watch::Receiver<Way>) {
    let Ok(mut server) = TcpStream::connect((server.host.as_str(), server.port)).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let way = ways.borrow_and_update().clone();
        if way == Way::Cut {
            return;
        }
        tokio::select! {
            // What is set counts for all that is read afterwards.
            biased;
            changed = ways.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let written = match way {
                    Way::Silent => Ok(()),
                    Way::Says(bytes) => client.write_all(&bytes).await,
                    _ => server.write_all(&asked[..length]).await,
                };
                if written.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if let Way::Slow(time) = way {
                    tokio::time::sleep(time).await;
                }
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
