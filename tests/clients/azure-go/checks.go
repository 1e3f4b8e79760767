package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// checks counts.
type checks struct {
	passed, failed int
}

func (c *checks) check(what string, ok bool, why any) {
	if ok {
		c.passed++
		fmt.Println("ok  ", what)
		return
	}
	c.failed++
	fmt.Printf("FAIL %s: %v\n", what, why)
}

// refused checks that the library says so in its own error, and gives the answer behind it.
func (c *checks) refused(what string, err error, status int, code string) *http.Response {
	var told *azcore.ResponseError
	if !errors.As(err, &told) {
		c.check(what, false, err)
		return nil
	}
	c.check(what, told.StatusCode == status && told.ErrorCode == code, err)
	return told.RawResponse
}

// step runs one part of the suite; an error or a panic that it does not expect is one failed check.
func (c *checks) step(name string, part func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	defer cancel()
	defer func() {
		if panic := recover(); panic != nil {
			c.check(name, false, panic)
		}
	}()
	if err := part(ctx); err != nil {
		c.check(name, false, err)
	}
}

func (c *checks) close(name string) {
	fmt.Printf("%s: %d passed, %d failed\n", name, c.passed, c.failed)
	if c.failed > 0 || c.passed == 0 {
		os.Exit(1)
	}
}

func distinct(words []string) map[string]bool {
	seen := map[string]bool{}
	for _, word := range words {
		seen[word] = true
	}
	return seen
}
