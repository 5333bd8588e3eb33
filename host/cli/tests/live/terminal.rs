//! `heat watch` in a terminal that is closed: it ends, and does not go on for ever.

use std::net::TcpListener;
use std::process::Command;

/// Starts its arguments in a terminal of their own, waits until something is drawn, closes the terminal, and prints whether they ended.
const CLOSE: &str = r#"
import os, pty, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
os.read(terminal, 1)
os.close(terminal)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    if os.waitpid(pid, os.WNOHANG)[0]:
        print("ended")
        sys.exit(0)
    time.sleep(0.05)
os.kill(pid, signal.SIGKILL)
print("went on")
"#;

#[test]
fn it_ends_with_its_terminal() {
    // Takes connections and says nothing, so there is nothing to print but the screen.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let patience = heat_tests::patience::patience().as_secs().to_string();
    let watch = ["watch", "--no-daemon", "--channel", "seaside", "--no-tls", "--server", &server];
    let mut python = Command::new("python3");
    python.args(["-c", CLOSE, &patience, env!("CARGO_BIN_EXE_heat")]).args(watch);
    let output = python.env("TERM", "xterm").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "ended\n", "{}", String::from_utf8_lossy(&output.stderr));
}
