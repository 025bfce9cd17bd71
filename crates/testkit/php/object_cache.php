<?php
/**
 * A persistent object cache: a file for each value, in a folder next to this one.
 *
 * No value expires, as with Ultimate Multisite's own; and nothing is kept for a single request.
 */

final class WP_Object_Cache {
	private $global = [];
	private $prefix;

	public function __construct() {
		$this->switch_to_blog(get_current_blog_id());
		if (!is_dir($this->folder())) {
			@mkdir($this->folder(), 0777, true);
		}
	}

	private function folder(): string {
		return WP_CONTENT_DIR . '/cached';
	}

	private function file($key, $group): string {
		$group = $group ?: 'default';
		$prefix = isset($this->global[$group]) ? '' : $this->prefix;
		return $this->folder() . '/' . md5("$prefix$group:$key");
	}

	public function switch_to_blog($blog): void {
		$this->prefix = "$blog:";
	}

	public function make_global($groups): void {
		$this->global += array_fill_keys((array) $groups, true);
	}

	public function get($key, $group, &$found = null) {
		$value = @file_get_contents($this->file($key, $group));
		$found = $value !== false;
		return $found ? unserialize($value) : false;
	}

	public function set($key, $value, $group): bool {
		$file = $this->file($key, $group);
		$new = "$file." . getmypid();
		return file_put_contents($new, serialize($value)) !== false && rename($new, $file);
	}

	public function delete($key, $group): bool {
		return @unlink($this->file($key, $group));
	}

	public function flush(): bool {
		foreach (glob($this->folder() . '/*') as $file) {
			@unlink($file);
		}
		return true;
	}
}

function wp_cache_init() {
	$GLOBALS['wp_object_cache'] = new WP_Object_Cache();
}

function wp_cache_get($key, $group = '', $force = false, &$found = null) {
	return $GLOBALS['wp_object_cache']->get($key, $group, $found);
}

function wp_cache_set($key, $value, $group = '', $expire = 0) {
	return $GLOBALS['wp_object_cache']->set($key, $value, $group);
}

function wp_cache_add($key, $value, $group = '', $expire = 0) {
	if (wp_suspend_cache_addition()) {
		return false;
	}
	$GLOBALS['wp_object_cache']->get($key, $group, $found);
	return !$found && wp_cache_set($key, $value, $group);
}

function wp_cache_replace($key, $value, $group = '', $expire = 0) {
	$GLOBALS['wp_object_cache']->get($key, $group, $found);
	return $found && wp_cache_set($key, $value, $group);
}

function wp_cache_incr($key, $offset = 1, $group = '') {
	$value = (int) wp_cache_get($key, $group) + $offset;
	wp_cache_set($key, $value, $group);
	return $value;
}

function wp_cache_decr($key, $offset = 1, $group = '') {
	return wp_cache_incr($key, -$offset, $group);
}

function wp_cache_delete($key, $group = '') {
	return $GLOBALS['wp_object_cache']->delete($key, $group);
}

function wp_cache_flush() {
	return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_close() {
	return true;
}

function wp_cache_add_global_groups($groups) {
	$GLOBALS['wp_object_cache']->make_global($groups);
}

function wp_cache_add_non_persistent_groups($groups) {}

function wp_cache_switch_to_blog($blog) {
	$GLOBALS['wp_object_cache']->switch_to_blog($blog);
}
