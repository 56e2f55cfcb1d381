typedef int placeholder_g711;
