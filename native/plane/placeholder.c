typedef int placeholder_plane;
