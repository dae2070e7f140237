//! The disk under the store is full while participants are at work; and two gateways on one file.
//!
//! Promises: a real file system of a few megabytes that is really full; without the right to mount one the test says so
//! and is no proof. Never: fills a disk that others use.

use crate::load::Scene;
use crate::support::broker::Broker;
use crate::support::gateway::until;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

const SIZE: &str = "size=48m";

/// A small file system of its own, gone with the value.
struct Disk(PathBuf);

impl Disk {
    /// None where this user may not mount one.
    fn mounted() -> Option<Self> {
        let place = std::env::temp_dir().join(format!("mezhved-disk-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&place).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(place));
        }
        fs::remove_dir(&place).unwrap();
        None
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn give_back(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_full_disk_refuses_with_a_clear_code_loses_nothing_that_was_receipted_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mounted() else {
        println!("NOT SHOWN: this user may not mount a small disk (root may)");
        return;
    };
    let vhost = Broker::shared().vhost();
    let mut scene = Scene::new(&vhost, 10);
    scene.installed.move_store(&disk.0);
    let mut serving = scene.installed.serve_ready();
    scene.begin();
    scene.progress();
    disk.fill();
    let mut refusals = 0;
    until("three refusals for want of room", || {
        let (status, answer) = scene.submit(&serving);
        if status >= 300 {
            assert_eq!((status, answer["code"].as_str()), (503, Some("unavailable")), "{answer}");
            refusals += 1;
        }
        refusals == 3
    });
    assert!(scene.installed.log().contains("database or disk is full"), "the operator is told why");
    // A gateway that is killed with the disk full comes back on it, or says why not, and harms nothing.
    disk.give_back();
    until("a receipt when there is room", || scene.submit(&serving).0 < 300);
    disk.fill();
    scene.still_at_work();
    serving.kill();
    disk.give_back();
    serving = scene.installed.serve_ready();
    scene.judge();
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_second_gateway_on_the_file_of_a_serving_one_says_so_and_ends_and_the_first_does_not_feel_it() {
    let vhost = Broker::shared().vhost();
    let scene = Scene::new(&vhost, 10);
    let serving = scene.installed.serve_ready();
    let ended = scene.installed.serve().ended().expect("it ended by itself");
    assert_eq!(ended.code(), Some(1));
    assert!(scene.installed.log().contains("another gateway is serving from"), "{}", scene.installed.log());
    assert!(serving.is_ready());
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
