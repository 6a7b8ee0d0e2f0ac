//! What a person reads when everything has started.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
};

use crosswalk_sandbox::Sandbox;

use crate::{KafkaChoice, Options};

/// Prints the addresses and what to try next to standard output.
pub(crate) fn print(options: &Options, api: SocketAddr, sandbox: &Sandbox) {
    // Whoever started us without an output to write to wants nothing printed.
    let _ = io::stdout().write_all(text(options, api, sandbox).as_bytes());
}

fn text(options: &Options, api: SocketAddr, sandbox: &Sandbox) -> String {
    let kafka = match &options.kafka {
        KafkaChoice::Embedded => format!("embedded, records in {}", options.data_dir.display()),
        KafkaChoice::Bootstrap(bootstrap) => bootstrap.clone(),
    };
    let endpoint = if api.to_string() == "127.0.0.1:8080" {
        String::new()
    } else {
        format!(" --endpoint http://{api}")
    };
    format!(
        "
Crosswalk is running.

  API              http://{api}   (gRPC, gRPC-web)
  Metrics, health  http://{admin}/metrics, /readyz
  Kafka            {kafka}
  Sandbox          {sandbox}   (admin pages)
    Dynamics 365   {microsoft}
    Campaign       {adobe}

The instance `demo` maps the sandbox's {contacts} contacts to profiles. Try, in another terminal:

  crosswalk{endpoint} workflows list
  crosswalk{endpoint} workflows start ingress --wait
  crosswalk{endpoint} mappings get contact

Ctrl-C stops it; what has been queued stays.
",
        admin = options.admin_listen,
        sandbox = sandbox.admin_url(),
        microsoft = sandbox.microsoft_url(),
        adobe = sandbox.adobe_url(),
        contacts = options.contacts,
    )
}
