package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

const (
	provisionerName = "microk8s.io/hostpath"
	identityKey     = "hostPathProvisionerIdentity"
	provisionedBy   = "pv.kubernetes.io/provisioned-by"
	selectedNode    = "volume.kubernetes.io/selected-node"
	askedOf         = "volume.beta.kubernetes.io/storage-provisioner"
	// pollEvery is how long the real provisioner sleeps before it looks at its helper pod, the first time too.
	pollEvery = 5 * time.Second
	polls     = 100
)

// provisioner behaves as cdkbot/hostpath-provisioner:1.5.0 does, its oddities included: it remembers the node that it
// ran on as its identity, and leaves alone the volumes that it made under another one.
type provisioner struct {
	api       kubernetes.Interface
	namespace string
	identity  string
	directory string
	busybox   string
	reclaim   string
	factory   informers.SharedInformerFactory
	events    record.EventRecorder

	mutex sync.Mutex
	busy  map[string]bool
}

func runProvision(ctx context.Context, _ []string) error {
	api, err := cluster()
	if err != nil {
		return err
	}
	p := &provisioner{
		api:       api,
		namespace: environment("NAMESPACE", "kube-system"),
		identity:  os.Getenv("NODE_NAME"),
		directory: os.Getenv("PV_DIR"),
		busybox:   environment("BUSYBOX_IMAGE", "busybox:latest"),
		reclaim:   os.Getenv("PV_RECLAIM_POLICY"),
		busy:      map[string]bool{},
	}
	if p.identity == "" {
		return errors.New("env variable NODE_NAME must be set so that this provisioner can identify itself")
	}
	if p.directory == "" {
		return errors.New("env variable PV_DIR must be set so that this provisioner knows where to place its data")
	}
	events := record.NewBroadcaster()
	events.StartRecordingToSink(&typed.EventSinkImpl{Interface: api.CoreV1().Events("")})
	me := provisionerName + "_" + environment("HOSTNAME", p.identity)
	p.events = events.NewRecorder(scheme.Scheme, v1.EventSource{Component: me})

	lock, err := resourcelock.New(resourcelock.EndpointsResourceLock, p.namespace,
		strings.ReplaceAll(provisionerName, "/", "-"), api.CoreV1(), api.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: me, EventRecorder: p.events})
	if err != nil {
		return err
	}
	// Never released on the way out: the real one dies with its lease, and a successor waits for that.
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: p.run, OnStoppedLeading: func() {
			if ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "leaderelection lost")
				os.Exit(1)
			}
		}},
	})
	return nil
}

// run looks at all claims and volumes whenever one of them changes, and every 15 seconds for another try.
func (p *provisioner) run(ctx context.Context) {
	p.factory = informers.NewSharedInformerFactory(p.api, 15*time.Second)
	wake := make(chan struct{}, 1)
	changed := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(interface{}) { changed() },
		UpdateFunc: func(interface{}, interface{}) { changed() },
	}
	claims, volumes := p.factory.Core().V1().PersistentVolumeClaims(), p.factory.Core().V1().PersistentVolumes()
	classes := p.factory.Storage().V1().StorageClasses()
	for _, informer := range []cache.SharedIndexInformer{claims.Informer(), volumes.Informer(), classes.Informer()} {
		informer.AddEventHandler(handler)
	}
	p.factory.Start(ctx.Done())
	for _, synced := range p.factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return
		}
	}
	fmt.Println("provisioner", p.identity, "leads, busybox image", p.busybox)
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		all, _ := claims.Lister().List(labels.Everything())
		for _, claim := range all {
			if class, err := classes.Lister().Get(className(claim)); err == nil && isOurs(claim, class) {
				claim, class := claim.DeepCopy(), class.DeepCopy()
				p.alone(string(claim.UID), func() { p.serve(ctx, claim, class) })
			}
		}
		made, _ := volumes.Lister().List(labels.Everything())
		for _, volume := range made {
			if isLeft(volume) {
				volume := volume.DeepCopy()
				p.alone(volume.Name, func() { p.remove(ctx, volume) })
			}
		}
	}
}

// alone runs the work in the background unless it runs already.
func (p *provisioner) alone(key string, work func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.busy[key] {
		return
	}
	p.busy[key] = true
	go func() {
		work()
		p.mutex.Lock()
		delete(p.busy, key)
		p.mutex.Unlock()
	}()
}

func className(claim *v1.PersistentVolumeClaim) string {
	if claim.Spec.StorageClassName == nil {
		return claim.Annotations[v1.BetaStorageClassAnnotation]
	}
	return *claim.Spec.StorageClassName
}

// isOurs says whether the claim waits for this provisioner. With WaitForFirstConsumer it waits for a pod first.
func isOurs(claim *v1.PersistentVolumeClaim, class *storage.StorageClass) bool {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || class.Provisioner != provisionerName ||
		claim.Annotations[askedOf] != provisionerName {
		return false
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	return !waits || claim.Annotations[selectedNode] != ""
}

// isLeft says whether the volume is one of ours whose claim is gone and that is to go with it.
func isLeft(volume *v1.PersistentVolume) bool {
	return volume.Status.Phase == v1.VolumeReleased && volume.DeletionTimestamp == nil &&
		volume.Spec.PersistentVolumeReclaimPolicy == v1.PersistentVolumeReclaimDelete &&
		volume.Annotations[provisionedBy] == provisionerName
}

// serve makes a directory for the claim and a volume of it.
func (p *provisioner) serve(ctx context.Context, claim *v1.PersistentVolumeClaim, class *storage.StorageClass) {
	name := "pvc-" + string(claim.UID)
	if _, err := p.api.CoreV1().PersistentVolumes().Get(ctx, name, metav1.GetOptions{}); err == nil {
		return
	}
	p.events.Eventf(claim, v1.EventTypeNormal, "Provisioning",
		"External provisioner is provisioning volume for claim %q", claim.Namespace+"/"+claim.Name)
	volume, err := p.provision(ctx, claim, class, name)
	if err == nil {
		_, err = p.api.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			err = nil
		}
	}
	if err != nil {
		fmt.Println(name, err)
		p.events.Eventf(claim, v1.EventTypeWarning, "ProvisioningFailed",
			"failed to provision volume with StorageClass %q: %v", class.Name, err)
		return
	}
	fmt.Println("provisioned", name)
	p.events.Eventf(claim, v1.EventTypeNormal, "ProvisioningSucceeded", "Successfully provisioned volume %s", name)
}

func (p *provisioner) provision(ctx context.Context, claim *v1.PersistentVolumeClaim, class *storage.StorageClass,
	name string) (*v1.PersistentVolume, error) {
	directory := p.directory
	if other := class.Parameters["pvDir"]; other != "" {
		directory = other
	}
	place := path.Join(directory, fmt.Sprintf("%s-%s-%s", claim.Namespace, claim.Name, name))
	node, err := p.runOnNode(ctx, claim.Annotations[selectedNode], directory,
		[]string{"sh", "-c", "mkdir -m 0777 -p " + place})
	if err != nil {
		return nil, fmt.Errorf("failed to create backing directory: %w", err)
	}
	reclaim := v1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	if p.reclaim != "" {
		reclaim = v1.PersistentVolumeReclaimPolicy(p.reclaim)
	}
	created := v1.HostPathDirectoryOrCreate
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{identityKey: p.identity, provisionedBy: provisionerName},
		},
		Spec: v1.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeReclaimPolicy: reclaim,
			StorageClassName:              class.Name,
			MountOptions:                  class.MountOptions,
			ClaimRef: &v1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion},
			PersistentVolumeSource: v1.PersistentVolumeSource{
				HostPath: &v1.HostPathVolumeSource{Path: place, Type: &created}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node},
				}},
			}}}},
		},
	}, nil
}

// remove deletes the directory and then the volume, even when the directory could not be deleted.
func (p *provisioner) remove(ctx context.Context, volume *v1.PersistentVolume) {
	if volume.Annotations[identityKey] != p.identity {
		fmt.Println(volume.Name, "ignored: identity annotation on PV does not match ours")
		return
	}
	if node := nodeOf(volume); node != "" && volume.Spec.HostPath != nil {
		place := volume.Spec.HostPath.Path
		if _, err := p.runOnNode(ctx, node, filepath.Dir(place), []string{"rm", "-rf", place}); err != nil {
			fmt.Println(volume.Name, "failed to remove backing directory:", err)
		}
	}
	err := p.api.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		fmt.Println(volume.Name, err)
		return
	}
	fmt.Println("removed", volume.Name)
}

func nodeOf(volume *v1.PersistentVolume) string {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return ""
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, expression := range term.MatchExpressions {
			if expression.Key == v1.LabelHostname && len(expression.Values) == 1 {
				return expression.Values[0]
			}
		}
	}
	return ""
}

// runOnNode runs a command on a node, in a pod that sees the directory of the volumes, and says which node it was.
func (p *provisioner) runOnNode(ctx context.Context, node, directory string, command []string) (string, error) {
	created, root := v1.HostPathDirectoryOrCreate, int64(0)
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: fmt.Sprintf("hostpath-provisioner-%s-", node),
			Labels:       map[string]string{"microk8s.hostpath.io/managed-by": p.identity},
		},
		Spec: v1.PodSpec{
			RestartPolicy: v1.RestartPolicyNever,
			Containers: []v1.Container{{
				Name: "busybox", Image: p.busybox, Command: command,
				VolumeMounts:    []v1.VolumeMount{{Name: "hostpath-pv-dir", MountPath: directory}},
				SecurityContext: &v1.SecurityContext{RunAsUser: &root},
				// Limits without requests are requests too: a node without a whole free CPU makes no volume.
				Resources: v1.ResourceRequirements{Limits: v1.ResourceList{
					v1.ResourceCPU: resource.MustParse("1"), v1.ResourceMemory: resource.MustParse("16Mi")}},
			}},
			Volumes: []v1.Volume{{Name: "hostpath-pv-dir", VolumeSource: v1.VolumeSource{
				HostPath: &v1.HostPathVolumeSource{Path: directory, Type: &created}}}},
		},
	}
	if node != "" {
		pod.Spec.NodeSelector = map[string]string{v1.LabelHostname: node}
	}
	pods := p.api.CoreV1().Pods(p.namespace)
	pod, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("failed to create pod: %w", err)
	}
	name := pod.Name
	for try := 0; try < polls; try++ {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(pollEvery):
		}
		if pod, err = pods.Get(ctx, name, metav1.GetOptions{}); err != nil {
			fmt.Println("failed to get pod:", err)
			continue
		}
		if pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed {
			continue
		}
		if err := pods.Delete(ctx, name, *metav1.NewDeleteOptions(0)); err != nil {
			fmt.Println("failed to delete pod:", err)
		}
		if pod.Status.Phase == v1.PodFailed {
			return "", fmt.Errorf("pod failed: %s", name)
		}
		return pod.Spec.NodeName, nil
	}
	return "", fmt.Errorf("pod %s has not ended", name)
}
