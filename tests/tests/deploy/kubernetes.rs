//! The manifests: right by the schemas, as closed as the namespace demands, and their configurations run.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::Program;
use serde_json::{Value, json};

use crate::manifests::{all, checked, find};
use crate::town::{Broker, Town};
use crate::{read, replace};

const SETS: [&str; 2] = ["heatd", "mosquitto"];

fn pod<'a>(manifests: &'a [Value], set: &str) -> Result<&'a Value> {
    Ok(&find(manifests, "StatefulSet", set)?["spec"]["template"]["spec"])
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(&pod["containers"]).chain(list(&pod["initContainers"]))
}

#[test]
fn the_schemas_accept_every_manifest_and_refuse_a_wrong_one() -> Result<()> {
    let manifests = all()?;
    for set in SETS {
        find(&manifests, "StatefulSet", set)?;
        find(&manifests, "NetworkPolicy", set)?;
        find(&manifests, "ConfigMap", set)?;
    }
    let wrong = "apiVersion: v1\nkind: Service\nmetadata: {name: heatd}\nspec: {prots: []}\n";
    ensure!(checked(wrong.as_bytes()).is_err(), "the schemas accept everything");
    Ok(())
}

#[test]
fn every_pod_is_as_closed_as_the_namespace_demands() -> Result<()> {
    let manifests = all()?;
    let namespace = find(&manifests, "Namespace", "heat-level")?;
    assert_eq!(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
    for set in SETS {
        let pod = pod(&manifests, set)?;
        assert_eq!(find(&manifests, "StatefulSet", set)?["spec"]["replicas"], 1, "{set}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{set}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{set}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{set}");
        for container in containers(pod) {
            let (name, context) = (&container["name"], &container["securityContext"]);
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }), "{name}");
            ensure!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        }
        for volume in list(&pod["volumes"]) {
            ensure!(volume.get("hostPath").is_none(), "{volume}");
        }
    }
    Ok(())
}

#[test]
fn no_image_is_looked_for_that_does_not_exist() -> Result<()> {
    for set in SETS {
        for container in containers(pod(&all()?, set)?) {
            let image = container["image"].as_str().context("no image")?;
            if image.starts_with("localhost/") {
                assert_eq!(container["imagePullPolicy"], "Never", "{image}");
            } else {
                assert_eq!(image, "docker.io/library/eclipse-mosquitto:2.0.22");
            }
        }
    }
    Ok(())
}

#[test]
fn the_example_of_the_secret_has_what_the_pods_want_and_is_not_applied_with_them() -> Result<()> {
    let manifests = all()?;
    ensure!(find(&manifests, "Secret", "heat-level").is_err(), "it would replace the passwords");
    let example = checked(read("kubernetes/secret.example.yaml")?.as_bytes())?;
    let secret = find(&example, "Secret", "heat-level")?;
    assert_eq!(secret["metadata"]["namespace"], "heat-level");
    let mut wanted = Vec::new();
    for volume in list(&pod(&manifests, "heatd")?["volumes"]) {
        if volume["secret"]["secretName"] == "heat-level" {
            wanted.extend(list(&volume["secret"]["items"]).map(|item| item["key"].clone()));
        }
    }
    for container in containers(pod(&manifests, "mosquitto")?) {
        let keys = list(&container["env"]).map(|entry| &entry["valueFrom"]["secretKeyRef"]);
        wanted.extend(keys.filter(|key| key["name"] == "heat-level").map(|key| key["key"].clone()));
    }
    assert_eq!(wanted, ["heatd", "heatd", "writer"]);
    for key in wanted.iter().filter_map(Value::as_str) {
        let value = secret["stringData"][key].as_str().unwrap_or_default();
        ensure!(value.starts_with("CHANGE-ME"), "{key}: {value}");
    }
    Ok(())
}

#[test]
fn the_probes_and_the_broker_are_where_the_configurations_say() -> Result<()> {
    let manifests = all()?;
    let service = find(&manifests, "Service", "mosquitto")?;
    assert_eq!(service["spec"]["type"], "LoadBalancer");
    assert_eq!(service["spec"]["ports"][0]["port"], 5555);
    let heatd = &pod(&manifests, "heatd")?["containers"][0];
    let mount = list(&heatd["volumeMounts"]).find(|mount| mount["name"] == "data");
    let mount = mount.and_then(|mount| mount["mountPath"].as_str()).context("no volume")?;
    ensure!(read("kubernetes/heatd.toml")?.contains(&format!("\ndata = \"{mount}/")));
    for (probe, page) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        assert_eq!(heatd[probe]["exec"]["command"], json!(["/opt/heat-level/probe", page]));
    }
    Ok(())
}

#[test]
fn the_acl_is_the_one_of_mosquitto_on_a_bare_machine() -> Result<()> {
    assert_eq!(read("kubernetes/acl")?, read("mosquitto/acl")?);
    let map = all()?;
    assert_eq!(find(&map, "ConfigMap", "mosquitto")?["data"]["acl"], read("mosquitto/acl")?);
    Ok(())
}

#[test]
fn heatd_takes_the_configuration_of_the_config_map() -> Result<()> {
    let (town, manifests) = (Town::new()?, all()?);
    let map = find(&manifests, "ConfigMap", "heatd")?;
    let configuration = map["data"]["heatd.toml"].as_str().context("no heatd.toml")?;
    std::fs::write(town.path("password"), "secret\n")?;
    let password = town.path("password").display().to_string();
    let configuration = replace(configuration, "/run/heat-level/heatd.password", &password)?;
    crate::container::check(&town, &configuration, "/var/lib/heatd/store")
}

#[test]
fn the_broker_of_the_manifests_lets_heatd_write_and_the_writer_read() -> Result<()> {
    let (town, manifests) = (Town::new()?, all()?);
    let here = town.folder.path().display().to_string();
    let data = &find(&manifests, "ConfigMap", "mosquitto")?["data"];
    for folder in ["config", "users", "data"] {
        std::fs::create_dir(town.path(folder))?;
    }
    let configuration = data["mosquitto.conf"].as_str().context("no mosquitto.conf")?;
    let configuration = replace(configuration, "/mosquitto/", &format!("{here}/"))?;
    let listener = format!("listener {} 127.0.0.1", town.mqtt);
    let configuration = replace(&configuration, "listener 5555", &listener)?;
    // In the container it starts as the user that it is to be; here root may start it, and would change.
    std::fs::write(town.path("mosquitto.conf"), configuration + "user root\n")?;
    std::fs::write(town.path("config/acl"), data["acl"].as_str().context("no acl")?)?;

    // The passwords are made as the container before the broker makes them.
    let script = &pod(&manifests, "mosquitto")?["initContainers"][0]["command"][2];
    let script = script.as_str().context("no script")?;
    let mut make = Command::new("sh");
    make.arg("-ec").arg(replace(script, "/mosquitto/", &format!("{here}/"))?);
    make.env("HEATD", "pass word $1 'é'").env("WRITER", "let-me-read");
    ensure!(make.status()?.success(), "the passwords cannot be made");
    let passwords = std::fs::read_to_string(town.path("users/passwords"))?;
    ensure!(!passwords.contains("let-me-read"), "the passwords are not hashed");

    let mut mosquitto = Command::new("mosquitto");
    mosquitto.arg("-c").arg(town.path("mosquitto.conf"));
    let mosquitto = Program::start(mosquitto)?;
    mosquitto.wait_for_line(|line| line.ends_with("running"))?;
    std::fs::write(town.path("heatd.password"), "pass word $1 'é'\n")?;
    std::fs::write(town.path("writer.password"), "let-me-read\n")?;
    let login = "user = \"heatd\"\npassword_file = \"heatd.password\"\n";
    let head = town.head(&["seaside"], &Broker::At(town.mqtt)) + login;
    let heatd = town.heatd(&(head + &Town::rules("LUL")?))?;
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    let file = town.path("heat.txt");
    let password = town.path("writer.password").display().to_string();
    let login = ["--user", "writer", "--password-file", &password];
    let _writer = town.writer(town.mqtt, &file, &login)?;
    town.chat.wait_joined("seaside")?;
    town.chat.say("seaside", "ann", "?fave");
    town.wait_for_text(&file, "🔥 HEAT LEVEL: 1")
}

/// What docs/backup.md tells to do where a node has died.
#[test]
fn a_backup_off_the_node_is_mounted_and_restored_by_what_heatd_itself_is() -> Result<()> {
    let plain = read("kubernetes/heatd.yaml")?;
    let told = plain.replace("#- name: backups", "- name: backups").replace("#  ", "  ");
    let told = checked(told.as_bytes())?;
    let heatd = pod(&told, "heatd")?;
    let restore = checked(read("kubernetes/restore.example.yaml")?.as_bytes())?;
    let restore = &find(&restore, "Pod", "heatd-restore")?["spec"];
    for same in ["securityContext", "automountServiceAccountToken", "enableServiceLinks"] {
        assert_eq!(restore[same], heatd[same], "{same}");
    }
    let (one, other) = (&restore["containers"][0], &heatd["containers"][0]);
    for same in ["image", "imagePullPolicy", "securityContext"] {
        assert_eq!(one[same], other[same], "{same}");
    }
    // The volume of the stateful set's first pod, and the network disk, where heatd has them.
    assert_eq!(restore["volumes"][0]["persistentVolumeClaim"]["claimName"], "data-heatd-0");
    for name in ["data", "backups"] {
        let path = |container: &Value| {
            let mounts = list(&container["volumeMounts"]).find(|mount| mount["name"] == name);
            mounts.map(|mount| mount["mountPath"].clone())
        };
        ensure!(path(one).is_some() && path(one) == path(other), "{name}");
    }
    let disk = |pod: &Value| {
        let disk = list(&pod["volumes"]).find(|volume| volume["name"] == "backups");
        disk.map(|disk| (disk["nfs"]["server"].clone(), disk["nfs"]["path"].clone()))
    };
    ensure!(disk(heatd).is_some() && disk(heatd) == disk(restore));
    let data = one["args"][3].as_str().context("no folder")?;
    ensure!(read("kubernetes/heatd.toml")?.contains(&format!("\ndata = \"{data}\"")), "{data}");
    let page = read("../docs/backup.md")?;
    ensure!(
        page.contains("also = \"/backups/heat\"")
            && one["args"][1].to_string().contains("\"/backups/heat/")
    );
    Ok(())
}
