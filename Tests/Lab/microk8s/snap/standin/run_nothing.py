"""etcd and flanneld: on a node with dqlite and Calico their locks make them leave at once, with success."""


def main(_) -> int:
    return 0
