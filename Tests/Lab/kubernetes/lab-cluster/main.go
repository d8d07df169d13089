// lab-cluster is everything of ours that runs inside the lab's cluster, in one static program: it stands in for
// CoreDNS, Calico's containers and the hostpath provisioner, none of which can be had from a package source.
//
// It answers to the names of the programs that it stands in for, so that manifests written for the real images run
// unchanged on these.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type command struct {
	name, about string
	run         func(ctx context.Context, args []string) error
}

var commands = []command{
	{"dns", "-conf FILE: the cluster's DNS server", runDNS},
	{"routes", "this node's pod network and the routes to the other nodes'", runRoutes},
	{"ready", "ends 0 when `routes` has done its work", runReady},
	{"install", "copies the CNI plugins of this image to the node", runInstall},
	{"provision", "makes volumes for claims of microk8s.io/hostpath", runProvision},
	{"idle", "does nothing until it is told to stop", runIdle},
}

// aliases are the names under which the images hold this program.
var aliases = map[string]func(args []string) []string{
	"coredns":              func(args []string) []string { return append([]string{"dns"}, args...) },
	"hostpath-provisioner": func([]string) []string { return []string{"provision"} },
	"start_runit":          func([]string) []string { return []string{"routes"} },
	"calico-node":          calicoNode,
	"kube-controllers":     func([]string) []string { return []string{"idle"} },
	"install":              func([]string) []string { return []string{"install"} },
	"check-status":         func([]string) []string { return nil },
	"calico-ipam":          func([]string) []string { return nil },
}

// calicoNode reads the flags that Calico's manifest gives to its probes and hooks.
func calicoNode(args []string) []string {
	for _, arg := range args {
		switch arg {
		case "-felix-ready", "-bird-ready":
			return []string{"ready"}
		case "-felix", "-allocate-tunnel-addrs":
			return []string{"routes"}
		}
	}
	// -felix-live, -init, -shutdown: nothing to do, and that is a success.
	return nil
}

func main() {
	args := os.Args[1:]
	if alias, ok := aliases[filepath.Base(os.Args[0])]; ok {
		if args = alias(args); args == nil {
			return
		}
	}
	if len(args) == 0 {
		usage()
	}
	for _, command := range commands {
		if command.name == args[0] {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if err := command.run(ctx, args[1:]); err != nil {
				fmt.Fprintf(os.Stderr, "lab-cluster %s: %v\n", command.name, err)
				os.Exit(1)
			}
			return
		}
	}
	usage()
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: lab-cluster COMMAND")
	for _, command := range commands {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", command.name, command.about)
	}
	os.Exit(64)
}

func runIdle(ctx context.Context, _ []string) error {
	<-ctx.Done()
	return nil
}

// cluster is the API of the cluster that this pod runs in, or of $KUBECONFIG when it runs by hand.
func cluster() (kubernetes.Interface, error) {
	config, err := rest.InClusterConfig()
	if path := os.Getenv("KUBECONFIG"); path != "" {
		config, err = clientcmd.BuildConfigFromFlags("", path)
	}
	if err != nil {
		return nil, err
	}
	config.UserAgent = "lab-cluster"
	return kubernetes.NewForConfig(config)
}

func environment(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
