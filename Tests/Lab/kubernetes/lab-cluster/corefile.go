package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/coredns/corefile-migration/migration/corefile"
	"github.com/miekg/dns"
)

// block is one server block of a Corefile, as far as it is read here. The other plugins are accepted by name.
type block struct {
	zones      []string // "." for all names
	port       string
	kubernetes []string // the zones that the cluster answers for; none without the plugin
	ttl        uint32
	hosts      map[string][]net.IP
	// fallthroughs: with it a name unknown to `hosts` goes on to the next plugin, without it that is the answer.
	hostsFall bool
	forward   []string // upstream addresses with port
}

// known are the plugins of CoreDNS's default build that do nothing here; a name outside of both lists stops the
// server, as it stops CoreDNS.
var known = map[string]bool{}

func init() {
	for _, name := range strings.Fields(`acl any auto autopath bind bufsize cache cancel chaos debug dns64 dnssec
		dnstap erratic errors etcd file geoip grpc header health hosts forward k8s_external kubernetes loadbalance
		local log loop metadata minimal nsid prometheus ready reload rewrite root secondary template tls trace
		transfer tsig view whoami`) {
		known[name] = true
	}
}

// readCorefile reads the configuration; what CoreDNS refuses to start with is refused here.
func readCorefile(path string) ([]block, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseCorefile(string(content))
}

func parseCorefile(text string) (blocks []block, err error) {
	// The vendored parser counts braces, but neither misses nor survives a wrong one.
	if depth, ok := braces(text); !ok || depth != 0 {
		return nil, errors.New("Corefile: a brace is missing")
	}
	parsed, err := corefile.New(text)
	if err != nil {
		return nil, fmt.Errorf("Corefile: %w", err)
	}
	for _, server := range parsed.Servers {
		block := block{port: "53", ttl: 5}
		for _, zone := range server.DomPorts {
			zone = strings.TrimPrefix(strings.TrimSuffix(zone, ","), "dns://")
			if host, port, err := net.SplitHostPort(zone); err == nil {
				zone, block.port = host, port
			}
			block.zones = append(block.zones, dns.Fqdn(strings.ToLower(zone)))
		}
		for _, plugin := range server.Plugins {
			if !known[plugin.Name] {
				return nil, fmt.Errorf("Corefile: Unknown directive '%s'", plugin.Name)
			}
			if err := block.read(plugin); err != nil {
				return nil, fmt.Errorf("Corefile: plugin/%s: %w", plugin.Name, err)
			}
		}
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		return nil, errors.New("Corefile: no server block")
	}
	return blocks, nil
}

func (block *block) read(plugin *corefile.Plugin) error {
	switch plugin.Name {
	case "kubernetes":
		for _, zone := range plugin.Args {
			block.kubernetes = append(block.kubernetes, dns.Fqdn(strings.ToLower(zone)))
		}
		if len(block.kubernetes) == 0 {
			block.kubernetes = block.zones
		}
		for _, option := range plugin.Options {
			if option.Name == "ttl" && len(option.Args) == 1 {
				ttl, err := strconv.ParseUint(option.Args[0], 10, 16)
				if err != nil {
					return fmt.Errorf("ttl: %w", err)
				}
				block.ttl = uint32(ttl)
			}
		}
	case "hosts":
		block.hosts = map[string][]net.IP{}
		for _, option := range plugin.Options {
			if option.Name == "fallthrough" {
				block.hostsFall = true
			}
			address := net.ParseIP(option.Name)
			for _, name := range option.Args {
				if address != nil {
					name = dns.Fqdn(strings.ToLower(name))
					block.hosts[name] = append(block.hosts[name], address)
				}
			}
		}
	case "forward":
		if len(plugin.Args) < 2 {
			return errors.New("Wrong argument count or unexpected line ending")
		}
		for _, to := range plugin.Args[1:] {
			addresses, err := upstream(to)
			if err != nil {
				return err
			}
			block.forward = append(block.forward, addresses...)
		}
	}
	return nil
}

// upstream is what one word of `forward` stands for: an address, or the name servers of a file.
func upstream(to string) ([]string, error) {
	to = strings.TrimPrefix(to, "dns://")
	if net.ParseIP(to) != nil {
		return []string{net.JoinHostPort(to, "53")}, nil
	}
	if host, _, err := net.SplitHostPort(to); err == nil && net.ParseIP(host) != nil {
		return []string{to}, nil
	}
	file, err := os.Open(to)
	if err != nil {
		return nil, fmt.Errorf("not an IP address or file: %q", to)
	}
	defer file.Close()
	var addresses []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if words := strings.Fields(scanner.Text()); len(words) > 1 && words[0] == "nameserver" {
			addresses = append(addresses, net.JoinHostPort(words[1], "53"))
		}
	}
	if len(addresses) == 0 {
		return nil, errors.New("no nameservers found")
	}
	return addresses, nil
}

// braces is how deep the text ends, and whether it went below zero or opened before its first word.
func braces(text string) (depth int, ok bool) {
	words := 0
	for _, line := range strings.Split(text, "\n") {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "#") {
				break
			}
			switch word {
			case "{":
				depth++
			case "}":
				depth--
			default:
				words++
			}
			if depth < 0 || depth > 0 && words == 0 {
				return depth, false
			}
		}
	}
	return depth, true
}
