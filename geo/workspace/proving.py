"""What the ledger says of one plot, and a proof of it that holds without the ledger."""

from typing import Any

from geo.errors import LedgerBroken, StoreError
from geo.ledger import Linked, Verdict, canonical, intact, path_root, tree_levels, tree_path, tree_root
from geo.store import Store
from geo.store.rows import is_writable

PROOF_FORM = 1


def published(store: Store) -> dict[str, Any]:
    """What is printed on a bulletin: number of entries, the last one's hash and time, and the root of the tree."""
    entries = store.entries()
    root = tree_root(tree_levels([entry.hash for entry in entries]))
    last = entries[-1] if entries else None
    return {
        "seq": last.seq if last else 0,
        "hash": last.hash if last else None,
        "at": last.at if last else None,
        "root": root if last else None,
    }


def plot_entries(store: Store, parcel_id: str) -> list[Linked]:
    """The entries that tell of a plot, in order: its own rows, the visits, finds and steps on it, and decisions."""
    if not is_writable(parcel_id):
        return []
    named = canonical(parcel_id).decode()
    return [entry for entry in store.entries() if named in entry.text and _tells_of(entry.body, parcel_id)]


def plot_proof(store: Store, parcel_id: str) -> dict[str, Any]:
    """
    The plot's entries with their paths to the root: `check_proof` needs nothing else but the root once published.

    Raises
    ------
    StoreError
        No entry tells of this plot.
    """
    told = plot_entries(store, parcel_id)
    if not told:
        raise StoreError("parcel_unknown", value=parcel_id)
    entries = store.entries()
    levels = tree_levels([entry.hash for entry in entries])
    proven = [_plain(entry) | {"path": tree_path(levels, entry.seq - 1)} for entry in told if entry.seq <= len(entries)]
    return {
        "form": PROOF_FORM,
        "parcel_id": parcel_id,
        "entries_n": len(entries),
        "head": entries[-1].hash,
        "root": tree_root(levels),
        "entries": proven,
    }


def check_proof(proof: dict[str, Any], root: str) -> Verdict:
    """
    Whether every entry of a proof is whole and stands in the ledger whose root was published as `root`.

    Raises
    ------
    StoreError
        The text is no proof of this program.
    """
    try:
        size, entries = int(proof["entries_n"]), [(_linked(plain), list(plain["path"])) for plain in proof["entries"]]
        form, head = proof["form"], str(proof["head"])
    except (KeyError, TypeError, ValueError, OverflowError) as wrong:
        raise StoreError("proof_foreign", why=wrong) from wrong
    if form != PROOF_FORM or not entries:
        raise StoreError("proof_foreign", why=f"form {form}")
    for entry, path in entries:
        if not intact(entry):
            return Verdict(False, size, head, LedgerBroken("ledger_hash", seq=entry.seq))
        if _root_of(entry, size, path) != root.strip().lower():
            return Verdict(False, size, head, LedgerBroken("proof_path", seq=entry.seq, root=root))
    return Verdict(True, size, head)


def _root_of(entry: Linked, size: int, path: list[str]) -> str | None:
    try:
        return path_root(entry.hash, entry.seq - 1, size, path)
    except (ValueError, TypeError):
        return None


def _plain(entry: Linked) -> dict[str, Any]:
    names = ("seq", "at", "kind", "role", "text", "previous", "hash")
    return dict(zip(names, entry.stored, strict=True))


def _linked(plain: dict[str, Any]) -> Linked:
    return Linked(int(plain["seq"]), *(str(plain[n]) for n in ("at", "kind", "role", "text", "previous", "hash")))


def _tells_of(body: dict[str, Any], parcel_id: str) -> bool:
    if parcel_id in body.get("rows", {}).get("parcels", {}) or body.get("parcel_id") == parcel_id:
        return True
    records = body.get("records", {})
    return any(row.get("parcel_id") == parcel_id for rows in records.values() for row in rows.values())
