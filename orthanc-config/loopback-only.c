/* Preloaded into Debian's Orthanc 1.10, which opens its HTTP and DICOM ports on every address and has no setting
   against it: a bind() to "any address" becomes a bind() to loopback. start.sh builds this and then checks with `ss`
   that it worked. Under docker-compose the private network does the same, and this file is not used.
   No headers are included, so that a bare compiler without libc's development files can build it. */
struct address { unsigned short family; unsigned short port; unsigned char bytes[24]; };

extern void *dlsym(void *handle, const char *name);
#define NEXT_LIBRARY ((void *)-1L) /* RTLD_NEXT */
#define IPV4 2                     /* AF_INET on Linux */
#define IPV6 10                    /* AF_INET6 on Linux */

static int all_zero(const unsigned char *bytes, int count) {
    while (count > 0) if (bytes[--count]) return 0;
    return 1;
}

int bind(int socket, const void *address, unsigned int length) {
    int (*next)(int, const void *, unsigned int) = (int (*)(int, const void *, unsigned int))dlsym(NEXT_LIBRARY, "bind");
    const struct address *asked = address;
    struct address loopback;
    int isIpv4 = length >= 16 && asked->family == IPV4 && all_zero(asked->bytes, 4);
    int isIpv6 = length >= 28 && asked->family == IPV6 && all_zero(asked->bytes + 4, 16);
    if (!isIpv4 && !isIpv6) return next(socket, address, length);
    for (int i = 0; i < (isIpv4 ? 16 : 28); i++) ((unsigned char *)&loopback)[i] = ((const unsigned char *)address)[i];
    if (isIpv4) { loopback.bytes[0] = 127; loopback.bytes[3] = 1; } /* 127.0.0.1, in network order */
    else loopback.bytes[4 + 15] = 1;                                /* ::1, after the 4 bytes of flow label */
    return next(socket, &loopback, length);
}
