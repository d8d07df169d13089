package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// forwardLimit is how long one question may wait for the upstream servers, all of them together.
const forwardLimit = 2 * time.Second

// server answers by the configuration of the moment.
type server struct {
	blocks atomic.Value // []block
	zone   zone
	synced func() bool
}

// runDNS serves until it is told to stop. The ports besides that of the Corefile are CoreDNS's own.
func runDNS(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dns", flag.ContinueOnError)
	path := flags.String("conf", "/etc/coredns/Corefile", "the Corefile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	blocks, err := readCorefile(*path)
	if err != nil {
		return err
	}
	api, err := cluster()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(api, 0)
	core := factory.Core().V1()
	services, endpoints, namespaces := core.Services().Informer(), core.Endpoints().Informer(), core.Namespaces().Informer()
	if err := services.AddIndexers(cache.Indexers{byAddress: serviceAddresses}); err != nil {
		return err
	}
	if err := endpoints.AddIndexers(cache.Indexers{byAddress: endpointAddresses}); err != nil {
		return err
	}
	server := &server{
		zone: zone{services: services.GetIndexer(), endpoints: endpoints.GetIndexer(), namespaces: namespaces.GetIndexer()},
		synced: func() bool {
			return services.HasSynced() && endpoints.HasSynced() && namespaces.HasSynced()
		},
	}
	server.blocks.Store(blocks)
	factory.Start(ctx.Done())

	failed := make(chan error, 8)
	go func() { failed <- http.ListenAndServe(":8080", says(func() bool { return true })) }()
	go func() { failed <- http.ListenAndServe(":8181", says(server.synced)) }()
	// Which port it is cannot change while it runs; nothing in CoreDNS's manifests does it.
	for _, network := range []string{"udp", "tcp"} {
		listener := &dns.Server{Addr: ":" + blocks[0].port, Net: network, Handler: server}
		go func() { failed <- listener.ListenAndServe() }()
	}
	go server.reload(ctx, *path)
	fmt.Printf("serving on port %s\n", blocks[0].port)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// says answers 200 OK while `yes`, on any path.
func says(yes func() bool) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		if !yes() {
			writer.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(writer, "kubernetes")
			return
		}
		fmt.Fprint(writer, "OK")
	})
}

// reload takes a new Corefile when it is a good one, as the plugin of that name does.
func (server *server) reload(ctx context.Context, path string) {
	last, _ := os.ReadFile(path)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
		now, err := os.ReadFile(path)
		if err != nil || string(now) == string(last) {
			continue
		}
		last = now
		blocks, err := parseCorefile(string(now))
		if err != nil {
			fmt.Println("the old configuration stays:", err)
			continue
		}
		server.blocks.Store(blocks)
		fmt.Println("reloaded", path)
	}
}

// ServeDNS answers one question.
func (server *server) ServeDNS(writer dns.ResponseWriter, request *dns.Msg) {
	response := new(dns.Msg)
	response.SetReply(request)
	if len(request.Question) != 1 || request.Opcode != dns.OpcodeQuery {
		response.Rcode = dns.RcodeFormatError
	} else {
		_, stream := writer.RemoteAddr().(*net.TCPAddr)
		response = server.reply(request, response, stream)
	}
	fit(response, request, writer)
	if err := writer.WriteMsg(response); err != nil {
		fmt.Println("no answer could be sent:", err)
	}
}

func (server *server) reply(request, response *dns.Msg, stream bool) *dns.Msg {
	question := request.Question[0]
	name := strings.ToLower(question.Name)
	block := blockFor(name, server.blocks.Load().([]block))
	if block == nil || question.Qclass != dns.ClassINET {
		response.Rcode = dns.RcodeRefused
		return response
	}
	response.RecursionAvailable = len(block.forward) > 0
	zone := server.zone
	zone.ttl = block.ttl

	if block.hosts != nil {
		if addresses, ok := block.hosts[name]; ok {
			response.Authoritative = true
			for _, address := range addresses {
				response.Answer = append(response.Answer, zone.addresses(question.Name, []string{address.String()}, question.Qtype)...)
			}
			return response
		}
		if !block.hostsFall {
			response.Rcode = dns.RcodeNameError
			return response
		}
	}
	if origin := longest(name, block.kubernetes); origin != "" && !isReverse(origin) {
		if !server.synced() {
			response.Rcode = dns.RcodeServerFailure
			return response
		}
		response.Authoritative = true
		found := zone.lookUp(question.Name, name, origin, question.Qtype)
		response.Answer, response.Extra = found.records, found.extra
		if !found.exists {
			response.Rcode = dns.RcodeNameError
		}
		if len(response.Answer) == 0 {
			response.Ns = []dns.RR{zone.soa(origin)}
		}
		return server.follow(response, request, stream)
	}
	if address := addressOf(name); address != "" && longest(name, block.kubernetes) != "" && server.synced() {
		if records := zone.reverse(question.Name, address, forwardOrigin(block.kubernetes)); len(records) > 0 {
			response.Authoritative = true
			if question.Qtype == dns.TypePTR {
				response.Answer = records
			}
			return response
		}
	}
	if len(block.forward) == 0 {
		response.Rcode = dns.RcodeServerFailure
		return response
	}
	answer, err := exchange(request, block.forward, stream)
	if err != nil {
		response.Rcode = dns.RcodeServerFailure
		return response
	}
	answer.Id = request.Id
	return answer
}

// follow adds what an ExternalName points to, when the question is for addresses.
func (server *server) follow(response, request *dns.Msg, stream bool) *dns.Msg {
	question := request.Question[0]
	if len(response.Answer) != 1 || question.Qtype != dns.TypeA && question.Qtype != dns.TypeAAAA {
		return response
	}
	alias, ok := response.Answer[0].(*dns.CNAME)
	if !ok {
		return response
	}
	name := strings.ToLower(alias.Target)
	block := blockFor(name, server.blocks.Load().([]block))
	if block == nil {
		return response
	}
	// An alias of an alias in the cluster ends here, so that two of them cannot go round.
	if origin := longest(name, block.kubernetes); origin != "" {
		zone := server.zone
		zone.ttl = block.ttl
		response.Answer = append(response.Answer, zone.lookUp(alias.Target, name, origin, question.Qtype).records...)
		return response
	}
	next, target := new(dns.Msg), new(dns.Msg)
	next.SetQuestion(alias.Target, question.Qtype)
	target.SetReply(next)
	response.Answer = append(response.Answer, server.reply(next, target, stream).Answer...)
	return response
}

// exchange asks the upstream servers one after the other.
func exchange(request *dns.Msg, upstream []string, stream bool) (*dns.Msg, error) {
	client := &dns.Client{Net: "udp"}
	if stream {
		client.Net = "tcp"
	}
	until := time.Now().Add(forwardLimit)
	err := errors.New("no time left")
	for i, address := range upstream {
		left := time.Until(until) / time.Duration(len(upstream)-i)
		if left <= 0 {
			break
		}
		client.Timeout = left
		var answer *dns.Msg
		if answer, _, err = client.Exchange(request, address); err == nil || answer != nil && answer.Truncated {
			return answer, nil
		}
	}
	return nil, err
}

// fit cuts a response to what the client can take by UDP; the client asks again by TCP.
func fit(response, request *dns.Msg, writer dns.ResponseWriter) {
	size := dns.MaxMsgSize
	if _, ok := writer.RemoteAddr().(*net.UDPAddr); ok {
		size = dns.MinMsgSize
		if options := request.IsEdns0(); options != nil && int(options.UDPSize()) > size {
			size = int(options.UDPSize())
		}
	}
	if options := request.IsEdns0(); options != nil && response.IsEdns0() == nil {
		response.SetEdns0(4096, options.Do())
	}
	response.Compress = true
	for response.Len() > size && len(response.Extra) > 0 {
		last := len(response.Extra) - 1
		if _, ok := response.Extra[last].(*dns.OPT); ok {
			if last == 0 {
				break
			}
			// The options stay; they say how much the other side takes.
			response.Extra[last], response.Extra[last-1] = response.Extra[last-1], response.Extra[last]
		}
		response.Extra = response.Extra[:last]
	}
	for response.Len() > size && len(response.Answer) > 0 {
		response.Truncated = true
		response.Answer = response.Answer[:len(response.Answer)-1]
	}
}

// blockFor is the server block with the longest zone that the name is in.
func blockFor(name string, blocks []block) *block {
	var best *block
	length := -1
	for i := range blocks {
		if zone := longest(name, blocks[i].zones); zone != "" && len(zone) > length {
			best, length = &blocks[i], len(zone)
		}
	}
	return best
}

// longest is the most special of the zones that the name is in, or nothing.
func longest(name string, zones []string) string {
	best := ""
	for _, zone := range zones {
		if dns.IsSubDomain(zone, name) && len(zone) > len(best) {
			best = zone
		}
	}
	return best
}

func isReverse(zone string) bool {
	return strings.HasSuffix(zone, "in-addr.arpa.") || strings.HasSuffix(zone, "ip6.arpa.")
}

// forwardOrigin is the zone that names of addresses are in.
func forwardOrigin(zones []string) string {
	for _, zone := range zones {
		if !isReverse(zone) {
			return zone
		}
	}
	return "cluster.local."
}

// addressOf is the IPv4 address that a name of in-addr.arpa stands for, or nothing.
func addressOf(name string) string {
	labels := dns.SplitDomainName(strings.TrimSuffix(name, "in-addr.arpa."))
	if len(labels) != 4 || !strings.HasSuffix(name, ".in-addr.arpa.") {
		return ""
	}
	address := net.ParseIP(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0])
	if address == nil {
		return ""
	}
	return address.String()
}
