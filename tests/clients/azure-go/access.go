package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// access holds the addresses and credentials of the simulated Azure, from the file that the sandbox wrote.
type access struct {
	Endpoint       string `json:"endpoint"`
	Authority      string `json:"authority"`
	TenantID       string `json:"tenant_id"`
	ClientID       string `json:"client_id"`
	ClientSecret   string `json:"client_secret"`
	SubscriptionID string `json:"subscription_id"`
	CA             string `json:"ca_pem"`
}

func readAccess(path string) (access, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return access{}, err
	}
	var all struct {
		Azure access `json:"azure"`
	}
	err = json.Unmarshal(text, &all)
	return all.Azure, err
}

// factory returns a factory of the library's clients, which authenticate by azidentity.
func (a access) factory(secret string) (*armcompute.ClientFactory, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(a.CA))
	options := policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: a.Authority,
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: a.Endpoint, Audience: a.Endpoint},
			},
		},
		// A refusal must be visible, not retried.
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Transport: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}},
	}
	credential, err := azidentity.NewClientSecretCredential(a.TenantID, a.ClientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		return nil, err
	}
	return armcompute.NewClientFactory(a.SubscriptionID, credential, &arm.ClientOptions{
		ClientOptions: options,
		// The sandbox has no providers to register with.
		DisableRPRegistration: true,
	})
}
