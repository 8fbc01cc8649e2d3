//! Opens one connection: address, socket, password, and the handshake of Redis.

use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisResult, Value};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::answer::text;
use super::fault::{Fault, Turned, meaning};
use super::health::Health;
use super::settings::{Address, Mode, Place};

/// The name of our connections in `CLIENT LIST`.
const NAME: &str = "liter-llm";

/// How long one sentinel may take to answer.
const SENTINEL: Duration = Duration::from_secs(1);

/// An open connection, which works while its driver runs.
pub(super) struct Opened {
    pub(super) connection: MultiplexedConnection,
    pub(super) driver: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Opened {
    /// Asks while nobody else drives the connection yet.
    async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        tokio::select! {
            answer = self.connection.send_packed_command(command) => answer?.extract_error(),
            () = &mut self.driver => Err(std::io::Error::from(ErrorKind::UnexpectedEof).into()),
        }
    }
}

/// Why there is no connection.
pub(super) struct Failed {
    pub(super) reason: String,
    /// The password was refused.
    pub(super) secret: bool,
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Failed { reason, secret: false }
    }
}

/// Opens a connection to a node. `refused` means that the last password was refused.
pub(super) async fn open(health: &Health, place: &Place, refused: bool) -> Result<Opened, Failed> {
    let (settings, around) = (&health.settings, &health.around);
    let address = match place {
        Place::At(address) => address.clone(),
        Place::Master(name) => master(health, name).await?,
    };
    let mut info = RedisConnectionInfo::default().set_skip_set_lib_name();
    if settings.mode != Mode::Cluster {
        info = info.set_db(settings.database.into());
    }
    if let Some(password) = around.password(refused).await? {
        info = info.set_password(password.expose_secret());
        if let Some(user) = &settings.username {
            info = info.set_username(user);
        }
    }
    let mut opened = handshake(health, &address, &info).await?;
    if let Place::Master(_) = place {
        let role = opened.ask(&redis::cmd("ROLE")).await;
        let role = role.map_err(|error| reason(&meaning(&error)))?;
        let Value::Array(role) = role else { return Err("ROLE has no list".to_owned().into()) };
        if role.first().and_then(text).as_deref() != Some("master") {
            return Err(format!("{address} is not the primary that the sentinels say").into());
        }
    }
    // Users may be without this command.
    let mut name = redis::cmd("CLIENT");
    let _ = opened.ask(name.arg("SETNAME").arg(NAME)).await;
    Ok(opened)
}

async fn handshake(
    health: &Health,
    address: &Address,
    info: &RedisConnectionInfo,
) -> Result<Opened, Failed> {
    let socket = health.around.connect(address).await?;
    // Our own timer bounds each question.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    match MultiplexedConnection::new_with_config(info, socket, config).await {
        Ok((connection, driver)) => Ok(Opened { connection, driver: Box::pin(driver) }),
        Err(error) => {
            let turned = meaning(&error);
            let secret = matches!(&turned, Turned::Down(Fault::Refused(word))
                if matches!(word.as_str(), "AUTH" | "WRONGPASS" | "NOAUTH"));
            Err(Failed { reason: reason(&turned), secret })
        }
    }
}

fn reason(turned: &Turned) -> String {
    match turned {
        Turned::Down(Fault::Away) => "the connection ended".to_owned(),
        Turned::Down(fault) => fault.to_string(),
        _ => "not this node's".to_owned(),
    }
}

/// The address of the primary that the sentinels name. The first that knows one counts.
async fn master(health: &Health, name: &str) -> Result<Address, Failed> {
    let mut why = "there is no sentinel".to_owned();
    for sentinel in &health.settings.addresses {
        match timeout(SENTINEL, ask_sentinel(health, sentinel, name)).await {
            Ok(Ok(address)) => return Ok(address),
            Ok(Err(failed)) => why = format!("sentinel {sentinel}: {}", failed.reason),
            Err(_) => why = format!("sentinel {sentinel}: {}", Fault::Late),
        }
    }
    Err(why.into())
}

async fn ask_sentinel(health: &Health, sentinel: &Address, name: &str) -> Result<Address, Failed> {
    let info = RedisConnectionInfo::default().set_skip_set_lib_name();
    let mut opened = handshake(health, sentinel, &info).await?;
    let mut question = redis::cmd("SENTINEL");
    let answer = opened.ask(question.arg("get-master-addr-by-name").arg(name)).await;
    let answer = answer.map_err(|error| reason(&meaning(&error)))?;
    let unknown = || format!("it knows no primary of the name {name}");
    let Value::Array(pair) = answer else { return Err(unknown().into()) };
    match (pair.first().and_then(text), pair.get(1).and_then(text).map(|port| port.parse())) {
        (Some(host), Some(Ok(port))) => Ok(Address { host, port }),
        _ => Err(unknown().into()),
    }
}
