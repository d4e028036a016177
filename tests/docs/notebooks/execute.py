"""Executes the notebook on standard input, cell by cell, as Jupyter does, and writes it with its outputs to standard output.

The argument is the folder that the kernel starts in. A cell that fails ends this with its error, unless it is tagged raises-exception.
"""

import sys

import nbformat
from nbclient import NotebookClient
from nbclient.util import ensure_async

# Deno's kernel says at times that a cell is done before it has sent the last of its outputs; a client doesn't listen for them any more.
# They are there when a request that comes after them is done.
LATER = "await new Promise((resolve) => setTimeout(resolve, 20));"


async def collect_late_outputs(cell, cell_index, execute_reply):
    request = execute_reply["parent_header"]["msg_id"]
    later = client.kc.execute(LATER, silent=True, store_history=False)
    while True:
        message = await ensure_async(client.kc.iopub_channel.get_msg(timeout=60))
        parent = message["parent_header"].get("msg_id")
        if parent in (request, later) and message["msg_type"] not in ("status", "execute_input"):
            client.process_message(message, cell, cell_index)
        if parent == later and message["content"].get("execution_state") == "idle":
            break


notebook = nbformat.read(sys.stdin, as_version=4)
client = NotebookClient(
    notebook,
    kernel_name="deno",
    timeout=300,
    record_timing=False,
    on_cell_executed=collect_late_outputs,
    resources={"metadata": {"path": sys.argv[1]}},
)
client.execute()
nbformat.write(notebook, sys.stdout)
