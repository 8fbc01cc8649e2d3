//! Finding cases on disk: a directory of `<topic>/<name>.json`, or a `.jsonl` file with one case a line.

use std::fs;
use std::path::Path;

use crate::case::Case;

/// Reads all cases under `path`.
///
/// # Errors
/// Names the file (and the line) and what is wrong with it; the first bad case ends the reading.
pub fn load_cases(path: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    if path.is_dir() {
        walk(path, "", &mut cases)?;
    } else if path.extension().is_some_and(|extension| extension == "jsonl") {
        for (n, line) in read(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty())
        {
            let case = Case::parse_line(line)
                .map_err(|error| format!("{}:{}: {error}", path.display(), n + 1))?;
            cases.push(case);
        }
    } else {
        return Err(format!("{}: neither a directory nor a .jsonl file", path.display()));
    }
    Ok(cases)
}

fn walk(folder: &Path, prefix: &str, cases: &mut Vec<Case>) -> Result<(), String> {
    let say = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries =
        fs::read_dir(folder).map_err(say)?.collect::<Result<Vec<_>, _>>().map_err(say)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        let name =
            name.to_str().ok_or_else(|| format!("{}: the name is not UTF-8", path.display()))?;
        if path.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), cases)?;
        } else if let Some(stem) = name.strip_suffix(".json") {
            let case = Case::parse(&format!("{prefix}{stem}"), &read(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            cases.push(case);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
