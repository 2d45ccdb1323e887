// Command tiny is all there is in the container that a test runs.
//
//	tiny         says that it waits, and waits to be terminated: a sandbox, or a container with something in its log
//	tiny WORDS   says them, for who executes something in a container
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println(strings.Join(os.Args[1:], " "))
		return
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	fmt.Println("waiting")
	<-end
}
