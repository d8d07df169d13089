package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// routeProtocol marks the routes of ours in the kernel's table: only those may be taken away again.
const routeProtocol = 80

// readyFile is where `routes` says what it has set up, for `ready` in the same container.
const readyFile = "/run/lab-cluster/routes.json"

// setUp is what has to stand on this node.
type setUp struct {
	ConfigPath string            `json:"configPath"`
	Config     []byte            `json:"config"`
	Routes     map[string]string `json:"routes"` // pod network of another node: that node's address
}

// runRoutes keeps this node's pod network and its routes as the Node objects say.
func runRoutes(ctx context.Context, _ []string) error {
	name := environment("NODENAME", os.Getenv("NODE_NAME"))
	if name == "" {
		return errors.New("NODENAME is not set")
	}
	api, err := cluster()
	if err != nil {
		return err
	}
	// An earlier run's word says nothing about this one.
	if err := os.Remove(readyFile); err != nil && !os.IsNotExist(err) {
		return err
	}
	factory := informers.NewSharedInformerFactory(api, 0)
	nodes := factory.Core().V1().Nodes()
	wake := make(chan struct{}, 1)
	changed := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(interface{}) { changed() },
		UpdateFunc: func(interface{}, interface{}) { changed() },
		DeleteFunc: func(interface{}) { changed() },
	})
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), nodes.Informer().HasSynced) {
		return nil
	}
	// The tick repairs what somebody else changed on the node.
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	said := ""
	for {
		err := reconcile(nodes.Lister().List, name)
		if now := fmt.Sprint(err); now != said {
			said = now
			fmt.Println("routes:", map[bool]string{true: "set up", false: now}[err == nil])
		}
		select {
		case <-ctx.Done():
			// The network of the pods outlives the daemon, as Calico's does.
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

func reconcile(list func(labels.Selector) ([]*v1.Node, error), name string) error {
	nodes, err := list(labels.Everything())
	if err != nil {
		return err
	}
	want, err := wanted(nodes, name)
	if err != nil {
		return err
	}
	// A node that cannot be reached must not keep this one from its own pods, so the rest is done before it is told.
	unreachable := setRoutes(want.Routes)
	// The configuration comes last: with it the node turns Ready.
	if _, err := writeAtomically(want.ConfigPath, want.Config, 0o600); err != nil {
		return err
	}
	state, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(readyFile), 0o755); err != nil {
		return err
	}
	if _, err := writeAtomically(readyFile, state, 0o600); err != nil {
		return err
	}
	return unreachable
}

// wanted is what the nodes ask for on the node of this name.
func wanted(nodes []*v1.Node, name string) (setUp, error) {
	want := setUp{
		ConfigPath: filepath.Join(environment("LAB_CNI_NET", "/host/etc/cni/net.d"), "10-calico.conflist"),
		Routes:     map[string]string{},
	}
	for _, node := range nodes {
		if node.Spec.PodCIDR == "" {
			continue
		}
		if node.Name == name {
			config, err := cniConfig(node.Spec.PodCIDR)
			if err != nil {
				return want, err
			}
			want.Config = config
			continue
		}
		// A node that is not ready keeps its route, as with Calico: without it the packets for its pods would take
		// the default route and leave the cluster.
		for _, address := range node.Status.Addresses {
			if address.Type == v1.NodeInternalIP {
				want.Routes[node.Spec.PodCIDR] = address.Address
				break
			}
		}
	}
	if want.Config == nil {
		return want, fmt.Errorf("node %s has no pod network yet", name)
	}
	return want, nil
}

// cniConfig connects each pod by a cable of its own and lets the kernel route, which is Calico's way. A bridge would
// need br_netfilter for two pods of one node to meet by way of a Service.
func cniConfig(subnet string) ([]byte, error) {
	config, err := json.MarshalIndent(map[string]interface{}{
		"name":       "k8s-pod-network",
		"cniVersion": "0.4.0",
		"plugins": []interface{}{
			map[string]interface{}{
				"type": "ptp",
				"ipam": map[string]interface{}{
					"type":   "host-local",
					"ranges": []interface{}{[]interface{}{map[string]string{"subnet": subnet}}},
					"routes": []interface{}{map[string]string{"dst": "0.0.0.0/0"}},
					// No pod outlives a boot, so neither may the list of their addresses: a power cut leaves no
					// one to give them back.
					"dataDir": "/run/lab-cni",
				},
			},
			map[string]interface{}{"type": "portmap", "snat": true, "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
	return append(config, '\n'), err
}

// setRoutes makes the kernel's routes of our protocol exactly these.
func setRoutes(want map[string]string) error {
	there, err := routes()
	if err != nil {
		return err
	}
	var failed error
	for network, gateway := range want {
		if there[network] == gateway {
			continue
		}
		route, err := route(network, gateway)
		if err == nil {
			err = netlink.RouteReplace(route)
		}
		if err != nil {
			failed = fmt.Errorf("route to %s by %s: %w", network, gateway, err)
			continue
		}
		fmt.Println("route to", network, "by", gateway)
	}
	for network, gateway := range there {
		if _, ok := want[network]; ok {
			continue
		}
		route, err := route(network, gateway)
		if err != nil {
			return err
		}
		if err := netlink.RouteDel(route); err != nil {
			return fmt.Errorf("take away the route to %s: %w", network, err)
		}
		fmt.Println("no route to", network)
	}
	return failed
}

func route(network, gateway string) (*netlink.Route, error) {
	_, destination, err := net.ParseCIDR(network)
	if err != nil {
		return nil, err
	}
	address := net.ParseIP(gateway)
	if address == nil {
		return nil, fmt.Errorf("%q is no address", gateway)
	}
	return &netlink.Route{Dst: destination, Gw: address, Protocol: routeProtocol}, nil
}

// routes are the routes of our protocol that the kernel has: network to gateway.
func routes() (map[string]string, error) {
	list, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, route := range list {
		if route.Dst != nil {
			found[route.Dst.String()] = route.Gw.String()
		}
	}
	return found, nil
}

// runReady looks at the node itself, not only at what `routes` said once.
func runReady(_ context.Context, _ []string) error {
	state, err := os.ReadFile(readyFile)
	if err != nil {
		return errors.New("not set up yet")
	}
	var want setUp
	if err := json.Unmarshal(state, &want); err != nil {
		return err
	}
	config, err := os.ReadFile(want.ConfigPath)
	if err != nil {
		return err
	}
	if string(config) != string(want.Config) {
		return fmt.Errorf("%s is not ours", want.ConfigPath)
	}
	there, err := routes()
	if err != nil {
		return err
	}
	for network, gateway := range want.Routes {
		if there[network] != gateway {
			return fmt.Errorf("no route to %s by %s", network, gateway)
		}
	}
	return nil
}
