package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

const plain = `.:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    cache 30
}
`

// ask serves the Corefile over real sockets and asks one question.
func ask(t *testing.T, corefile, network, name string, kind uint16) *dns.Msg {
	t.Helper()
	blocks, err := parseCorefile(corefile)
	if err != nil {
		t.Fatal(err)
	}
	server := &server{zone: sample(t), synced: func() bool { return true }}
	server.blocks.Store(blocks)
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stream, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	udp, tcp := &dns.Server{PacketConn: packets, Handler: server}, &dns.Server{Listener: stream, Handler: server}
	go udp.ActivateAndServe()
	go tcp.ActivateAndServe()
	defer packets.Close()
	defer stream.Close()
	question := new(dns.Msg)
	question.SetQuestion(name, kind)
	client := &dns.Client{Net: network, Timeout: 5 * time.Second}
	answer, _, err := client.Exchange(question, packets.LocalAddr().String())
	if err != nil && (answer == nil || !answer.Truncated) {
		t.Fatal(name, err)
	}
	return answer
}

func sample(t *testing.T) zone {
	t.Helper()
	index := func(by cache.IndexFunc, objects ...interface{}) cache.Indexer {
		indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{byAddress: by})
		for _, object := range objects {
			if err := indexer.Add(object); err != nil {
				t.Fatal(err)
			}
		}
		return indexer
	}
	service := func(name, address string, ports ...v1.ServicePort) *v1.Service {
		return &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
			Spec: v1.ServiceSpec{ClusterIP: address, Ports: ports}}
	}
	many := &v1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "many", Namespace: "default"}}
	subset := v1.EndpointSubset{}
	for i := 1; i < 100; i++ {
		subset.Addresses = append(subset.Addresses, v1.EndpointAddress{IP: net.IPv4(10, 1, 9, byte(i)).String()})
	}
	many.Subsets = []v1.EndpointSubset{subset}
	pods := &v1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "pods", Namespace: "default"},
		Subsets: []v1.EndpointSubset{{
			Addresses:         []v1.EndpointAddress{{IP: "10.1.0.5", Hostname: "first"}, {IP: "10.1.1.6"}},
			NotReadyAddresses: []v1.EndpointAddress{{IP: "10.1.1.7"}},
			Ports:             []v1.EndpointPort{{Name: "http", Port: 8888, Protocol: v1.ProtocolTCP}},
		}}}
	alias := service("alias", "")
	alias.Spec.Type, alias.Spec.ExternalName = v1.ServiceTypeExternalName, "hub.default.svc.cluster.local"
	return zone{
		services: index(serviceAddresses, service("hub", "10.152.183.9", v1.ServicePort{Name: "hub", Port: 8081, Protocol: v1.ProtocolTCP}),
			service("pods", v1.ClusterIPNone), service("none", v1.ClusterIPNone), service("many", v1.ClusterIPNone), alias),
		endpoints:  index(endpointAddresses, pods, many),
		namespaces: index(func(interface{}) ([]string, error) { return nil, nil }, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}),
	}
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name string
		kind uint16
		code int
		want string
	}{
		{"hub.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.152.183.9"},
		{"HUB.default.svc.Cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.152.183.9"},
		{"hub.default.svc.cluster.local.", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"hub.default.svc.cluster.local.", dns.TypeMX, dns.RcodeSuccess, ""},
		{"gone.default.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"hub.default.svc.cluster.local.default.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"hub.other.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, ""},
		{"other.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, ""},
		{"cluster.local.", dns.TypeA, dns.RcodeSuccess, ""},
		{"cluster.local.", dns.TypeNS, dns.RcodeSuccess, "ns.dns.cluster.local."},
		{"pods.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.1.0.5 10.1.1.6"},
		{"none.default.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"first.pods.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.1.0.5"},
		{"10-1-1-6.pods.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.1.1.6"},
		{"10-1-1-7.pods.default.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"_hub._tcp.hub.default.svc.cluster.local.", dns.TypeSRV, dns.RcodeSuccess, "8081 hub.default.svc.cluster.local."},
		{"_hub._tcp.hub.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, ""},
		{"_hub._udp.hub.default.svc.cluster.local.", dns.TypeSRV, dns.RcodeNameError, ""},
		{"_http._tcp.pods.default.svc.cluster.local.", dns.TypeSRV, dns.RcodeSuccess,
			"8888 first.pods.default.svc.cluster.local. 8888 10-1-1-6.pods.default.svc.cluster.local."},
		{"10-1-0-5.default.pod.cluster.local.", dns.TypeA, dns.RcodeSuccess, "10.1.0.5"},
		{"10-1-0-5.other.pod.cluster.local.", dns.TypeA, dns.RcodeNameError, ""},
		{"alias.default.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "hub.default.svc.cluster.local. 10.152.183.9"},
		{"9.183.152.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "hub.default.svc.cluster.local."},
		{"5.0.1.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "first.pods.default.svc.cluster.local."},
		{"5.0.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeServerFailure, ""},
		{"debian.org.", dns.TypeA, dns.RcodeServerFailure, ""},
		{"dns-version.cluster.local.", dns.TypeTXT, dns.RcodeSuccess, "1.1.0"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			answer := ask(t, plain, network, test.name, test.kind)
			if answer.Rcode != test.code || said(answer) != test.want {
				t.Errorf("%s %s by %s: %s %q, expected %s %q", test.name, dns.TypeToString[test.kind], network,
					dns.RcodeToString[answer.Rcode], said(answer), dns.RcodeToString[test.code], test.want)
			}
			for _, record := range answer.Answer {
				if _, ok := answer.Answer[0].(*dns.CNAME); !ok && record.Header().Name != test.name {
					t.Errorf("%s: answered as %s", test.name, record.Header().Name)
				}
			}
			if empty := answer.Authoritative && len(answer.Answer) == 0; empty != (len(answer.Ns) == 1) {
				t.Errorf("%s: an empty answer of ours needs the SOA: %v", test.name, answer.Ns)
			}
		}
	}
}

func said(answer *dns.Msg) string {
	var words []string
	for _, record := range answer.Answer {
		switch record := record.(type) {
		case *dns.A:
			words = append(words, record.A.String())
		case *dns.CNAME:
			words = append(words, record.Target)
		case *dns.NS:
			words = append(words, record.Ns)
		case *dns.PTR:
			words = append(words, record.Ptr)
		case *dns.TXT:
			words = append(words, record.Txt...)
		case *dns.SRV:
			words = append(words, strings.Fields(record.String())[6:]...)
		}
	}
	return strings.Join(words, " ")
}

func TestLongAnswersAreCutByUDPOnly(t *testing.T) {
	name := "many.default.svc.cluster.local."
	answer := ask(t, plain, "udp", name, dns.TypeA)
	answer.Compress = true
	if !answer.Truncated || answer.Len() > dns.MinMsgSize || len(answer.Answer) < 20 {
		t.Error("not cut well:", answer.Len(), len(answer.Answer))
	}
	if answer := ask(t, plain, "tcp", name, dns.TypeA); answer.Truncated || len(answer.Answer) != 99 {
		t.Error("cut:", len(answer.Answer))
	}
}

func TestForward(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	upstream := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(writer dns.ResponseWriter, request *dns.Msg) {
		response := new(dns.Msg)
		response.SetReply(request)
		response.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: request.Question[0].Name, Rrtype: dns.TypeA,
			Class: dns.ClassINET}, A: net.IPv4(192, 0, 2, 1)}}
		writer.WriteMsg(response)
	})}
	go upstream.ActivateAndServe()
	with := strings.Replace(plain, "    cache 30", "    forward . "+packets.LocalAddr().String(), 1)
	if answer := ask(t, with, "udp", "debian.org.", dns.TypeA); said(answer) != "192.0.2.1" {
		t.Error(answer)
	}
	if answer := ask(t, with, "udp", "hub.default.svc.cluster.local.", dns.TypeA); said(answer) != "10.152.183.9" {
		t.Error(answer)
	}
	// Nobody listens on port 9 of this address: the answer must come, and soon.
	started := time.Now()
	dead := strings.Replace(plain, "    cache 30", "    forward . 127.0.0.1:9", 1)
	if answer := ask(t, dead, "udp", "debian.org.", dns.TypeA); answer.Rcode != dns.RcodeServerFailure {
		t.Error(answer)
	}
	if time.Since(started) > 3*time.Second {
		t.Error("too late:", time.Since(started))
	}
}

func TestHosts(t *testing.T) {
	with := strings.Replace(plain, "    cache 30", "    hosts {\n        10.99.0.2 head head.lab\n        fallthrough\n    }", 1)
	if answer := ask(t, with, "udp", "head.lab.", dns.TypeA); said(answer) != "10.99.0.2" {
		t.Error(answer)
	}
	if answer := ask(t, with, "udp", "hub.default.svc.cluster.local.", dns.TypeA); said(answer) != "10.152.183.9" {
		t.Error(answer)
	}
}

func TestCorefilesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "no server block",
		"{ errors }":                    "brace",
		".:53 {\n errors\n":             "brace",
		".:53 {\n nonsense\n}":          "Unknown directive 'nonsense'",
		".:53 {\n forward . nowhere\n}": "not an IP address or file",
		".:53 {\n forward .\n}":         "Wrong argument count",
	} {
		if _, err := parseCorefile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUnsynced(t *testing.T) {
	blocks, _ := parseCorefile(plain)
	server := &server{zone: sample(t), synced: func() bool { return false }}
	server.blocks.Store(blocks)
	question, response := new(dns.Msg), new(dns.Msg)
	question.SetQuestion("gone.default.svc.cluster.local.", dns.TypeA)
	response.SetReply(question)
	// NXDOMAIN here would be kept by the clients as the truth.
	if answer := server.reply(question, response, false); answer.Rcode != dns.RcodeServerFailure {
		t.Error(answer)
	}
}
