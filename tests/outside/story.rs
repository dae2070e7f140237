//! The main job with clients in another language, on documents that other programs made and validated.

use crate::support::broker::Broker;
use crate::support::gateway::Installation;
use crate::support::python;
use serde_json::json;

const PARTICIPANTS: &str = include_str!("participants.toml");

#[test]
fn request_in_xml_is_answered_over_http_by_a_reader_of_json_and_everybody_sees_it() {
    let vhost = Broker::shared().vhost();
    let installed = Installation::new(PARTICIPANTS, &vhost.gateway_url());
    let schemas = installed.folder().join("schemas");
    installed.run(&["schemas", "export", &schemas.display().to_string()]);
    let (centre, school) = ("centre-vymysel", "school-test-17");
    let setup = json!({
        "http": installed.url(),
        "amqp": { centre: vhost.participant(centre), school: vhost.participant(school) },
        "keys": { centre: installed.key(centre), school: installed.key(school) },
        "schemas": schemas,
    });
    let setup_file = installed.folder().join("setup.json");
    std::fs::write(&setup_file, setup.to_string()).unwrap();
    let serving = installed.serve_ready();
    python::run("story.py", &[setup_file.as_ref()]);
    assert_eq!(serving.figure("mezhved_conservation_gap"), Some(0.0));
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}
