// Command fakecri is a container runtime that has nothing and runs nothing: enough of the Container Runtime Interface for a
// kubelet to start and its node to become ready. A test of certificates needs no containers.
//
//	fakecri SOCKET
//
// listens on the Unix socket, says so on standard error, and serves until it is killed. What a kubelet without pods does
// not call is answered with Unimplemented.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: fakecri SOCKET")
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		fail(err)
	}
	server := grpc.NewServer()
	cri.RegisterRuntimeServiceServer(server, containers{})
	cri.RegisterImageServiceServer(server, images{})
	fmt.Fprintln(os.Stderr, "listening on", os.Args[1])
	fail(server.Serve(listener))
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}

// containers is a runtime that is ready and empty.
type containers struct {
	cri.UnimplementedRuntimeServiceServer
}

func (containers) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{Version: "0.1.0", RuntimeName: "fakecri", RuntimeVersion: "1", RuntimeApiVersion: "v1"}, nil
}

// Status lets the node become ready: both conditions are required.
func (containers) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	conditions := []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true},
		{Type: cri.NetworkReady, Status: true},
	}
	return &cri.StatusResponse{Status: &cri.RuntimeStatus{Conditions: conditions}}, nil
}

func (containers) RuntimeConfig(context.Context, *cri.RuntimeConfigRequest) (*cri.RuntimeConfigResponse, error) {
	linux := &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS}
	return &cri.RuntimeConfigResponse{Linux: linux}, nil
}

func (containers) ListPodSandbox(context.Context, *cri.ListPodSandboxRequest) (*cri.ListPodSandboxResponse, error) {
	return &cri.ListPodSandboxResponse{}, nil
}

func (containers) ListContainers(context.Context, *cri.ListContainersRequest) (*cri.ListContainersResponse, error) {
	return &cri.ListContainersResponse{}, nil
}

// images is an image store with nothing in it.
type images struct {
	cri.UnimplementedImageServiceServer
}

func (images) ListImages(context.Context, *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	return &cri.ListImagesResponse{}, nil
}

func (images) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	return &cri.ImageFsInfoResponse{}, nil
}
