package main

import (
	"net"
	"sort"
	"strings"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// zone answers for the cluster's own names as "Kubernetes DNS-Based Service Discovery" 1.1.0 says.
type zone struct {
	services, endpoints, namespaces cache.Indexer
	ttl                             uint32
}

// byAddress is the index of services by cluster IP and of endpoints by pod IP, for names of addresses.
const byAddress = "address"

func serviceAddresses(object interface{}) ([]string, error) {
	if service, ok := object.(*v1.Service); ok {
		return addressesOf(service), nil
	}
	return nil, nil
}

func endpointAddresses(object interface{}) ([]string, error) {
	var addresses []string
	if endpoints, ok := object.(*v1.Endpoints); ok {
		for _, subset := range endpoints.Subsets {
			for _, address := range subset.Addresses {
				addresses = append(addresses, address.IP)
			}
		}
	}
	return addresses, nil
}

// answer is the records for a name, and whether the name exists: a name with other records only is no NXDOMAIN.
type answer struct {
	records, extra []dns.RR
	exists         bool
}

// lookUp answers for `name` below `origin`; both are lower case and end in a dot. `asked` is the name as the client
// wrote it, which is what the records bear.
func (zone zone) lookUp(asked, name, origin string, kind uint16) answer {
	labels := dns.SplitDomainName(strings.TrimSuffix(name, origin))
	if len(labels) == 0 {
		return zone.apex(asked, origin, kind)
	}
	last := labels[len(labels)-1]
	switch {
	case last == "dns-version" && len(labels) == 1:
		found := answer{exists: true}
		if kind == dns.TypeTXT {
			found.records = []dns.RR{&dns.TXT{Hdr: zone.header(asked, dns.TypeTXT), Txt: []string{"1.1.0"}}}
		}
		return found
	case last == "pod":
		return zone.pod(asked, labels[:len(labels)-1], kind)
	case last == "svc":
		return zone.svc(asked, origin, labels[:len(labels)-1], kind)
	case last == "dns" && (len(labels) == 1 || len(labels) == 2 && labels[0] == "ns"):
		return answer{exists: true}
	}
	return answer{}
}

func (zone zone) apex(asked, origin string, kind uint16) answer {
	found := answer{exists: true}
	switch kind {
	case dns.TypeSOA:
		found.records = []dns.RR{zone.soa(asked)}
	case dns.TypeNS:
		found.records = []dns.RR{&dns.NS{Hdr: zone.header(asked, dns.TypeNS), Ns: "ns.dns." + origin}}
	}
	return found
}

// pod is a name such as 10-1-0-5.default.pod: the address is in the name ("pods insecure").
func (zone zone) pod(asked string, labels []string, kind uint16) answer {
	if len(labels) == 0 {
		return answer{exists: true}
	}
	if _, ok, _ := zone.namespaces.GetByKey(labels[len(labels)-1]); !ok || len(labels) > 2 {
		return answer{}
	}
	if len(labels) == 1 {
		return answer{exists: true}
	}
	address := net.ParseIP(strings.ReplaceAll(labels[0], "-", "."))
	if address == nil {
		address = net.ParseIP(strings.ReplaceAll(labels[0], "-", ":"))
	}
	if address == nil {
		return answer{}
	}
	return answer{exists: true, records: zone.addresses(asked, []string{address.String()}, kind)}
}

// svc is SERVICE.NAMESPACE.svc and what stands before it: a port and protocol, or an endpoint.
func (zone zone) svc(asked, origin string, labels []string, kind uint16) answer {
	if len(labels) == 0 {
		return answer{exists: true}
	}
	namespace, labels := labels[len(labels)-1], labels[:len(labels)-1]
	if len(labels) == 0 {
		_, ok, _ := zone.namespaces.GetByKey(namespace)
		return answer{exists: ok}
	}
	name, labels := labels[len(labels)-1], labels[:len(labels)-1]
	object, ok, _ := zone.services.GetByKey(namespace + "/" + name)
	if !ok {
		return answer{}
	}
	service := object.(*v1.Service)
	base := name + "." + namespace + ".svc." + origin

	if service.Spec.Type == v1.ServiceTypeExternalName {
		if len(labels) > 0 {
			return answer{}
		}
		target := dns.Fqdn(service.Spec.ExternalName)
		return answer{exists: true, records: []dns.RR{&dns.CNAME{Hdr: zone.header(asked, dns.TypeCNAME), Target: target}}}
	}

	hosts := zone.hosts(service)
	if len(labels) == 1 && !strings.HasPrefix(labels[0], "_") {
		found := answer{}
		for _, host := range hosts {
			if host.name == labels[0] {
				found.exists = true
				found.records = append(found.records, zone.addresses(asked, []string{host.address}, kind)...)
			}
		}
		return found
	}
	if !isHeadless(service) {
		hosts = nil
	} else if len(hosts) == 0 {
		// CoreDNS has no name for a headless service without an endpoint.
		return answer{}
	}
	switch {
	case len(labels) == 0:
		if kind == dns.TypeSRV {
			return zone.srv(asked, base, service, hosts, "", "")
		}
		addresses := addressesOf(service)
		for _, host := range hosts {
			addresses = append(addresses, host.address)
		}
		return answer{exists: true, records: zone.addresses(asked, addresses, kind)}
	case strings.HasPrefix(labels[len(labels)-1], "_"):
		protocol := strings.TrimPrefix(labels[len(labels)-1], "_")
		port := ""
		if len(labels) == 2 {
			if port = strings.TrimPrefix(labels[0], "_"); port == labels[0] {
				return answer{}
			}
		}
		if len(labels) > 2 {
			return answer{}
		}
		found := zone.srv(asked, base, service, hosts, port, protocol)
		if kind != dns.TypeSRV || port == "" {
			found.records, found.extra = nil, nil
		}
		return found
	}
	return answer{}
}

// host is one endpoint of a service.
type host struct {
	name, address string
	ports         []v1.EndpointPort
}

func (zone zone) hosts(service *v1.Service) []host {
	object, ok, _ := zone.endpoints.GetByKey(service.Namespace + "/" + service.Name)
	if !ok {
		return nil
	}
	var hosts []host
	for _, subset := range object.(*v1.Endpoints).Subsets {
		for _, address := range subset.Addresses {
			hosts = append(hosts, host{hostName(address), address.IP, subset.Ports})
		}
	}
	return hosts
}

func hostName(address v1.EndpointAddress) string {
	if address.Hostname != "" {
		return strings.ToLower(address.Hostname)
	}
	return strings.NewReplacer(".", "-", ":", "-").Replace(address.IP)
}

// srv is the records of a service's ports; an empty port or protocol stands for all of them.
func (zone zone) srv(asked, base string, service *v1.Service, hosts []host, port, protocol string) answer {
	found := answer{}
	match := func(name string, itsProtocol v1.Protocol) bool {
		return (port == "" || strings.EqualFold(name, port)) &&
			(protocol == "" || strings.EqualFold(string(itsProtocol), protocol))
	}
	add := func(number int32, target string, addresses []string) {
		found.exists = true
		found.records = append(found.records, &dns.SRV{Hdr: zone.header(asked, dns.TypeSRV),
			Weight: 100, Port: uint16(number), Target: target})
		found.extra = append(found.extra, zone.addresses(target, addresses, dns.TypeA)...)
		found.extra = append(found.extra, zone.addresses(target, addresses, dns.TypeAAAA)...)
	}
	for _, host := range hosts {
		for _, itsPort := range host.ports {
			if match(itsPort.Name, itsPort.Protocol) {
				add(itsPort.Port, host.name+"."+base, []string{host.address})
			}
		}
	}
	if !isHeadless(service) {
		for _, itsPort := range service.Spec.Ports {
			if match(itsPort.Name, itsPort.Protocol) {
				add(itsPort.Port, base, addressesOf(service))
			}
		}
	}
	share(found.records)
	return found
}

// share spreads the weight over the records, as CoreDNS does.
func share(records []dns.RR) {
	for _, record := range records {
		record.(*dns.SRV).Weight = uint16(100 / len(records))
	}
}

// reverse answers for the name of an address; not found means only that it is none of the cluster's.
func (zone zone) reverse(asked, address, origin string) []dns.RR {
	var targets []string
	services, _ := zone.services.ByIndex(byAddress, address)
	for _, object := range services {
		service := object.(*v1.Service)
		targets = append(targets, service.Name+"."+service.Namespace+".svc."+origin)
	}
	endpoints, _ := zone.endpoints.ByIndex(byAddress, address)
	for _, object := range endpoints {
		endpoints := object.(*v1.Endpoints)
		service, ok, _ := zone.services.GetByKey(endpoints.Namespace + "/" + endpoints.Name)
		if !ok || !isHeadless(service.(*v1.Service)) {
			continue
		}
		for _, host := range zone.hosts(service.(*v1.Service)) {
			if host.address == address {
				targets = append(targets, host.name+"."+endpoints.Name+"."+endpoints.Namespace+".svc."+origin)
			}
		}
	}
	sort.Strings(targets)
	var records []dns.RR
	for i, target := range targets {
		if i == 0 || target != targets[i-1] {
			records = append(records, &dns.PTR{Hdr: zone.header(asked, dns.TypePTR), Ptr: target})
		}
	}
	return records
}

// addresses is the A or AAAA records for those of the addresses that are of that kind.
func (zone zone) addresses(owner string, addresses []string, kind uint16) []dns.RR {
	var records []dns.RR
	for _, address := range addresses {
		ip := net.ParseIP(address)
		switch four := ip.To4(); {
		case ip == nil:
		case kind == dns.TypeA && four != nil:
			records = append(records, &dns.A{Hdr: zone.header(owner, dns.TypeA), A: four})
		case kind == dns.TypeAAAA && four == nil:
			records = append(records, &dns.AAAA{Hdr: zone.header(owner, dns.TypeAAAA), AAAA: ip})
		}
	}
	return records
}

func (zone zone) header(owner string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: owner, Rrtype: kind, Class: dns.ClassINET, Ttl: zone.ttl}
}

func (zone zone) soa(origin string) dns.RR {
	return &dns.SOA{Hdr: zone.header(origin, dns.TypeSOA), Ns: "ns.dns." + origin, Mbox: "hostmaster." + origin,
		Serial: 1, Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: zone.ttl}
}

func isHeadless(service *v1.Service) bool {
	return service.Spec.ClusterIP == v1.ClusterIPNone
}

func addressesOf(service *v1.Service) []string {
	if isHeadless(service) || service.Spec.Type == v1.ServiceTypeExternalName {
		return nil
	}
	if len(service.Spec.ClusterIPs) > 0 {
		return service.Spec.ClusterIPs
	}
	if service.Spec.ClusterIP == "" {
		return nil
	}
	return []string{service.Spec.ClusterIP}
}
