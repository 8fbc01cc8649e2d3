//! Reads the small files that settings refer to: keys, certificates, configurations.
//!
//! A reference may lead anywhere, and a caller waits for it. So a file is a regular file of a
//! bounded size, and opening it waits for nobody: opening a pipe would wait for its writer.

use std::fs::{Metadata, OpenOptions};
use std::io::Read as _;
use std::path::Path;

/// The content of a regular file of at most `most` bytes, and the file's metadata. The error is
/// the reason.
pub(crate) fn read(path: &Path, most: u64) -> Result<(Vec<u8>, Metadata), String> {
    let reason = |error: std::io::Error| error.kind().to_string();
    // Opening a device may have effects of its own, so that what is no file is not even opened.
    regular(&std::fs::metadata(path).map_err(reason)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path).map_err(reason)?;
    // Another file may have taken its place meanwhile.
    let metadata = file.metadata().map_err(reason)?;
    regular(&metadata)?;
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content).map_err(reason)?;
    if content.len() as u64 > most {
        return Err(format!("it is larger than {} KiB", most >> 10));
    }
    Ok((content, metadata))
}

fn regular(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_file() { Ok(()) } else { Err("it is not a regular file".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m5_only_small_regular_files_are_read() {
        let folder = std::env::temp_dir();
        let own = folder.join(format!("liter-llm-{}-file", std::process::id()));
        let pipe = own.with_extension("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, why) in [
            (folder.as_path(), "not a regular file"),
            (Path::new("/dev/zero"), "not a regular file"),
            (&pipe, "not a regular file"),
            (Path::new("/nonexistent/file"), "entity not found"),
        ] {
            let reason = read(path, 64 << 10).unwrap_err();
            assert!(reason.contains(why), "{}: {reason}", path.display());
        }
        std::fs::remove_file(&pipe).unwrap();
        std::fs::write(&own, vec![b'x'; 64 << 10]).unwrap();
        assert_eq!(read(&own, 64 << 10).unwrap().0.len(), 64 << 10);
        std::fs::write(&own, vec![b'x'; (64 << 10) + 1]).unwrap();
        let reason = read(&own, 64 << 10).unwrap_err();
        std::fs::remove_file(&own).unwrap();
        assert_eq!(reason, "it is larger than 64 KiB");
    }
}
