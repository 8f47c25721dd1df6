"""persistc, the compiler: reads flow classes, writes a typed proxy module beside each."""
