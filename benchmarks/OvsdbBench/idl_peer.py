"""The same work with Debian's python3-openvswitch IDL. Prints one JSON line."""
import json
import sys
import time

import ovs.db.idl
import ovs.poller


def connect(remote, schema, tables):
    helper = ovs.db.idl.SchemaHelper(location=schema)
    for table, columns in tables.items():
        helper.register_columns(table, columns)
    return ovs.db.idl.Idl(remote, helper, leader_only=False)


def run_until(idl, done):
    while True:
        idl.run()
        if done():
            return
        poller = ovs.poller.Poller()
        idl.wait(poller)
        poller.block()


def peak_megabytes():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6


def load(remote, schema, count):
    start = time.perf_counter()
    idl = connect(remote, schema, {"Queue": ["dscp", "external_ids", "other_config"]})
    run_until(idl, lambda: len(idl.tables["Queue"].rows) >= count)
    return {"seconds": time.perf_counter() - start, "megabytes": peak_megabytes()}


def commit(remote, schema, count):
    idl = connect(remote, schema, {"Open_vSwitch": ["external_ids"]})
    run_until(idl, lambda: len(idl.tables["Open_vSwitch"].rows) > 0)
    row = next(iter(idl.tables["Open_vSwitch"].rows.values()))
    start = time.perf_counter()
    for i in range(count):
        txn = ovs.db.idl.Transaction(idl)
        row.external_ids = {"n": str(i)}
        status = txn.commit_block()
        if status != ovs.db.idl.Transaction.SUCCESS:
            raise RuntimeError(status)
    return {"seconds": time.perf_counter() - start, "megabytes": peak_megabytes()}


print(json.dumps({"load": load, "commit": commit}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))))
