"""``ouvrage verifier``: ask, check offline, keep whom to trust, and serve."""

import sys

from vc.io.command import new_app, run
from verifier import key_commands, trust_commands, trust_list_commands
from verifier.batch_command import check_all_command
from verifier.check_command import check_command
from verifier.evidence_command import evidence_command
from verifier.policy_command import policy_command
from verifier.request_command import request_command, result_command
from verifier.serve_command import serve_command
from verifier.service_commands import keys_app as api_key_app
from verifier.service_commands import purge_command

app = new_app("Check a worker's proof offline, without telling the platform.")
app.command("request")(request_command)
app.command("result")(result_command)
app.command("check")(check_command)
app.command("check-all")(check_all_command)
app.command("evidence")(evidence_command)
app.command("policy")(policy_command)
app.add_typer(trust_commands.app, name="trust")
for name, command in trust_list_commands.COMMANDS.items():
    trust_commands.app.command(name)(command)
app.command("sync")(trust_list_commands.sync_command)
app.add_typer(key_commands.app, name="keys")
app.add_typer(api_key_app, name="api-key")
app.command("serve")(serve_command)
app.command("purge")(purge_command)


def main(arguments: list[str]) -> None:
    """Run the verifier's commands."""
    run(app, arguments or ["--help"], name="ouvrage verifier")


if __name__ == "__main__":
    main(sys.argv[1:])
