//! What the program asks the operating system for, counted from outside: a receipt without a sync is none.
//!
//! Promises: the sync of each receipt ended before the receipt came. Never: asks the store what it is set to.

use crate::load::PARTICIPANTS;
use crate::support::broker::Broker;
use crate::support::gateway::Installation;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;

const RECEIPTS: usize = 20;
/// Counts the syncs of write-ahead logs, one byte for each that has ended well.
const COUNTER: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count(int fd, const char *name) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int result = real(fd);
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (result == 0 && length > 4 && memcmp(path + length - 4, "-wal", 4) == 0) {
        int out = open(getenv("SYNCS"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (write(out, "s", 1) != 1) abort();
        close(out);
    }
    return result;
}
int fsync(int fd) { return count(fd, "fsync"); }
int fdatasync(int fd) { return count(fd, "fdatasync"); }
"#;

#[test]
fn every_receipt_waits_for_the_disk() {
    let vhost = Broker::shared().vhost();
    let mut installed = Installation::new(PARTICIPANTS, &vhost.gateway_url());
    let key = installed.key("centre-vymysel");
    let (library, syncs) = (compile(installed.folder()), installed.folder().join("syncs"));
    installed.set_variable("LD_PRELOAD", &library);
    installed.set_variable("SYNCS", &syncs.display().to_string());
    let serving = installed.serve_ready();
    let done = || fs::metadata(&syncs).map_or(0, |file| file.len());
    for number in 0..RECEIPTS {
        let before = done();
        let (status, answer) = serving.post("/api/v1/messages", &key, &request().to_string());
        assert_eq!(status, 202, "{answer}");
        assert!(done() > before, "receipt {number} came, and nothing was synced since its message was sent");
    }
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

/// By the C compiler that every build here needs.
fn compile(folder: &Path) -> String {
    let (source, library) = (folder.join("syncs.c"), folder.join("syncs.so"));
    fs::write(&source, COUNTER).unwrap();
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).arg("-ldl").status();
    assert!(made.unwrap().success(), "cc made no {}", library.display());
    library.display().to_string()
}

fn request() -> serde_json::Value {
    let created_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "id": uuid::Uuid::new_v4(), "type": "request.information", "version": 1, "from": "centre-vymysel",
        "to": ["police-test"], "created_at": created_at, "summary": "Запрос",
        "body": {
            "persons": [{ "name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child" }],
            "questions": ["Состоит ли семья на учёте?"]
        }
    })
}
