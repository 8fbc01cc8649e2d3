//! A profile of `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::source::{Found, Profile, found};

/// The largest file of profiles, in bytes.
const MOST: u64 = 1 << 20;

/// Members of a profile that name sources of keys which are not read here.
const OTHER_WAYS: [&str; 5] =
    ["role_arn", "credential_process", "sso_session", "sso_start_url", "credential_source"];

/// The profile's keys. `None` means that no file has the profile, and nobody asked for it.
pub(super) async fn read(
    profile: Profile,
    blocking: Option<&Handle>,
) -> Result<Option<Found>, String> {
    let work = move || of_files(&profile);
    let reading = match blocking {
        Some(handle) => handle.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    };
    reading.await.unwrap_or_else(|_| Err("it was interrupted".to_owned()))
}

fn of_files(profile: &Profile) -> Result<Option<Found>, String> {
    // The names of profiles have a word before them in one of the files.
    let sections = [
        (&profile.credentials, profile.name.clone()),
        (
            &profile.config,
            match profile.name.as_str() {
                "default" => "default".to_owned(),
                name => format!("profile {name}"),
            },
        ),
    ];
    let mut other = None;
    let mut known = false;
    for (path, section) in sections {
        let Some(members) = section_of(path, &section)? else { continue };
        known = true;
        let member = |name: &str| members.get(name).map_or("", |value| value);
        let (id, secret) = (member("aws_access_key_id"), member("aws_secret_access_key"));
        if !id.is_empty() || !secret.is_empty() {
            let keys = found(id, secret, member("aws_session_token"), "")
                .map_err(|_| "it needs aws_access_key_id and aws_secret_access_key".to_owned())?;
            // Another program may replace the keys in the file at any time.
            return Ok(Some(Found { expires: None, seen: Some(Instant::now()), ..keys }));
        }
        other = other.or_else(|| OTHER_WAYS.into_iter().find(|name| members.contains_key(*name)));
    }
    match (known, other) {
        (_, Some(way)) => Err(format!(
            "it has no keys but {way}, which is not supported: `aws configure export-credentials` \
             gives keys for the environment"
        )),
        (false, None) if profile.asked => Err("no file has it".to_owned()),
        (true, None) if profile.asked => Err("it has no keys".to_owned()),
        _ => Ok(None),
    }
}

/// The members of a section. `None` means that there is no such file or section.
fn section_of(path: &Path, name: &str) -> Result<Option<BTreeMap<String, String>>, String> {
    if std::fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let failed = |reason: String| format!("cannot read {}: {reason}", path.display());
    let (content, _) = crate::file::read(path, MOST).map_err(failed)?;
    let text = String::from_utf8(content).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    Ok(section(&text, name))
}

/// The members of the section of this name. Lines that are indented belong to a nested one.
fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut inside = false;
    let mut members = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            let words: Vec<&str> = header.split_whitespace().collect();
            inside = words.join(" ") == name;
            if inside {
                members.get_or_insert_with(BTreeMap::new);
            }
        } else if inside
            && !line.starts_with(char::is_whitespace)
            && let (Some(members), Some((key, value))) = (&mut members, trimmed.split_once('='))
        {
            let value = value.split(" #").next().unwrap_or_default();
            members.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::super::source::text;
    use super::*;

    fn of(credentials: &str, config: &str, name: &str) -> Result<Option<Found>, String> {
        let folder = std::env::temp_dir().join(format!(
            "liter-aws-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("credentials"), credentials).unwrap();
        std::fs::write(folder.join("config"), config).unwrap();
        let asked = name != "default";
        let (credentials, config) = (folder.join("credentials"), folder.join("config"));
        let found = of_files(&Profile { name: name.into(), asked, credentials, config });
        std::fs::remove_dir_all(&folder).unwrap();
        found
    }

    #[test]
    fn keys_of_either_file() {
        let credentials = "# mine\n[default]\naws_access_key_id = AKID1\r\n\
                           AWS_SECRET_ACCESS_KEY=secret=1/+ # old\n  aws_session_token = no\n\n\
                           [ other ]\naws_access_key_id=AKID2\naws_secret_access_key=s2\n\
                           aws_session_token=t2\n";
        let config = "[default]\nregion=eu-west-1\n[profile third]\naws_access_key_id=AKID3\n\
                      aws_secret_access_key=s3\ns3 =\n  max_concurrent_requests = 1\n";
        let keys = |name| {
            let found = of(credentials, config, name).unwrap().unwrap();
            let keys = &found.keys;
            let token = keys.token.as_ref().map(|token| text(token).to_owned());
            (text(&keys.id).to_owned(), text(&keys.secret).to_owned(), token)
        };
        let owned = |a: &str, b: &str, c: Option<&str>| (a.into(), b.into(), c.map(str::to_owned));
        assert_eq!(keys("default"), owned("AKID1", "secret=1/+", None));
        assert_eq!(keys("other"), owned("AKID2", "s2", Some("t2")));
        assert_eq!(keys("third"), owned("AKID3", "s3", None));
    }

    #[test]
    fn what_is_not_there_or_not_supported() {
        assert!(of("", "", "default").unwrap().is_none());
        assert!(of("[default]\nregion=x\n", "", "default").unwrap().is_none());
        assert_eq!(of("", "", "mine").unwrap_err(), "no file has it");
        let half = of("[default]\naws_access_key_id=A\n", "", "default").unwrap_err();
        assert_eq!(half, "it needs aws_access_key_id and aws_secret_access_key");
        let role = of("", "[profile mine]\nrole_arn = arn:aws:iam::1:role/x\n", "mine");
        assert!(role.unwrap_err().contains("role_arn"));
    }
}
