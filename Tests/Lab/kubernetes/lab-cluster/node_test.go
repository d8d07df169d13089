package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhatANodeNeeds(t *testing.T) {
	node := func(name, network, address string) *v1.Node {
		return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.NodeSpec{PodCIDR: network},
			Status: v1.NodeStatus{Addresses: []v1.NodeAddress{{Type: v1.NodeHostName, Address: name}, {Type: v1.NodeInternalIP, Address: address}}}}
	}
	nodes := []*v1.Node{node("head", "10.1.0.0/24", "10.99.0.2"), node("worker1", "10.1.1.0/24", "10.99.0.11"), node("worker2", "", "10.99.0.12")}
	want, err := wanted(nodes, "head")
	if err != nil {
		t.Fatal(err)
	}
	if len(want.Routes) != 1 || want.Routes["10.1.1.0/24"] != "10.99.0.11" || !strings.Contains(string(want.Config), `"10.1.0.0/24"`) {
		t.Error(want.Routes, string(want.Config))
	}
	if _, err := wanted(nodes, "worker2"); err == nil {
		t.Error("a node without a pod network has nothing to set up")
	}
}

func TestInstall(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	t.Setenv("LAB_CNI_FROM", from)
	t.Setenv("LAB_CNI_TO", to)
	if err := os.WriteFile(filepath.Join(from, "ptp"), []byte("plugin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/lab-cluster", filepath.Join(from, "install")); err != nil {
		t.Fatal(err)
	}
	for range "12" {
		if err := runInstall(nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(to)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	if content, _ := os.ReadFile(filepath.Join(to, "ptp")); string(content) != "plugin" {
		t.Errorf("%q", content)
	}
	if changed, err := writeAtomically(filepath.Join(to, "ptp"), []byte("plugin"), 0o755); changed || err != nil {
		t.Error(changed, err)
	}
}

func TestClaimsOfOurs(t *testing.T) {
	waits := storage.VolumeBindingWaitForFirstConsumer
	class := &storage.StorageClass{Provisioner: provisionerName, VolumeBindingMode: &waits}
	claim := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{askedOf: provisionerName}}}
	if isOurs(claim, class) {
		t.Error("no pod has asked for it yet")
	}
	claim.Annotations[selectedNode] = "head"
	if !isOurs(claim, class) {
		t.Error("it is ours")
	}
	claim.Spec.VolumeName = "pvc-1"
	if isOurs(claim, class) {
		t.Error("it has its volume")
	}
}

func TestNamesOfTheProgram(t *testing.T) {
	if args := aliases["calico-node"]([]string{"-felix-ready"}); len(args) != 1 || args[0] != "ready" {
		t.Error(args)
	}
	if args := aliases["calico-node"]([]string{"-felix-live"}); args != nil {
		t.Error(args)
	}
	if args := aliases["coredns"]([]string{"-conf", "/etc/coredns/Corefile"}); strings.Join(args, " ") != "dns -conf /etc/coredns/Corefile" {
		t.Error(args)
	}
}
