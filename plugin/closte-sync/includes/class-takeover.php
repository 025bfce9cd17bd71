<?php
/**
 * Replaces Ultimate Multisite's built-in Closte integration, as long as the engine is alive.
 *
 * Nothing of it is changed permanently: each event decides anew, as some processes run for long. So if
 * the engine stops reporting, Closte is switched off or this plugin is removed, the built-in works as if we
 * had never been there; and a visit without any event costs no database query.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The takeover of one event, and of what the wizard shows.
 */
final class Takeover {

	/**
	 * The events on which the built-in integration acts.
	 */
	const HOOKS = array( 'wu_add_domain', 'wu_remove_domain', 'wu_add_subdomain', 'wu_remove_subdomain' );

	/**
	 * Its checks of DNS and certificates, which would race ours.
	 */
	const CHECKS = 'wu_async_process_domain_stage';

	/**
	 * What is removed at the moment: by hook, its callbacks, each as it was hooked.
	 *
	 * @var array[]
	 */
	private static $out = array();

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'wu_register_capabilities', array( self::class, 'replace_capability' ), PHP_INT_MAX );
		foreach ( array_merge( self::HOOKS, array( self::CHECKS ) ) as $hook ) {
			add_action( $hook, array( self::class, 'take_out_the_built_in' ), PHP_INT_MIN, 2 );
			add_action( $hook, array( self::class, 'put_back_the_built_in' ), PHP_INT_MAX );
		}
	}

	/**
	 * How the plugin replaces the built-in integration at the moment.
	 *
	 * @return string `registry`, `hooks` or `off`.
	 */
	public static function mode() {
		if ( ! Engine::is_in_charge() ) {
			return 'off';
		}
		return Ultimate_Multisite::has_registry() && Module_Fit::fits() ? 'registry' : 'hooks';
	}

	/**
	 * Put our module in the place of the built-in one, where people may see or test it. Elsewhere what is done
	 * at each event is enough.
	 *
	 * @param object $registry Of integrations.
	 */
	public static function replace_capability( $registry ) {
		if ( ( is_admin() || wp_doing_ajax() ) && 'registry' === self::mode() && is_callable( array( $registry, 'add_capability' ) ) ) {
			$registry->add_capability( 'closte', new Domain_Mapping_Module() );
		}
	}

	/**
	 * An event begins: where we are in charge, the built-in integration does not receive it.
	 *
	 * @param mixed $domain The domain that it is about; of a check, the id of its mapping.
	 * @param mixed $site   The id of its site.
	 */
	public static function take_out_the_built_in( $domain = '', $site = 0 ) {
		$hook = current_filter();
		// An earlier event may have ended with an exception, before all was back.
		self::put_back( $hook );
		Engine::forget();
		if ( ! Engine::is_in_charge() ) {
			Giving_Back::give( self::CHECKS === $hook ? (int) $domain : 0, isset( Gap::ADDED[ $hook ] ) ? (string) $domain : '' );
			return;
		}
		if ( Giving_Back::TAKEN !== Engine::charge() ) {
			Giving_Back::take();
		}
		if ( self::CHECKS !== $hook ) {
			Gap::note( $hook, $domain, $site );
		}
		self::take_out( $hook, self::CHECKS === $hook ? '' : 'Closte' );
	}

	/**
	 * An event is over: the next one may be for the built-in integration.
	 */
	public static function put_back_the_built_in() {
		self::put_back( current_filter() );
	}

	/**
	 * Remove Ultimate Multisite's own callbacks for a while.
	 *
	 * @param string $hook  From which hook.
	 * @param string $class A part of the name of their class.
	 */
	private static function take_out( $hook, $class ) {
		global $wp_filter;
		foreach ( $wp_filter[ $hook ]->callbacks as $priority => $all ) {
			foreach ( $all as $callback ) {
				$name = self::class_of( $callback['function'] );
				if ( 0 === stripos( $name, 'WP_Ultimo\\' ) && ( '' === $class || false !== stripos( $name, $class ) ) ) {
					remove_action( $hook, $callback['function'], $priority );
					self::$out[ $hook ][] = array( $callback['function'], $priority, $callback['accepted_args'] );
				}
			}
		}
	}

	/**
	 * Put back what was removed.
	 *
	 * @param string $hook To which hook.
	 */
	private static function put_back( $hook ) {
		$out = isset( self::$out[ $hook ] ) ? self::$out[ $hook ] : array();
		unset( self::$out[ $hook ] );
		foreach ( $out as $callback ) {
			add_action( $hook, ...$callback );
		}
	}

	/**
	 * The class that a callback belongs to.
	 *
	 * @param mixed $callback As it was hooked.
	 * @return string Empty for none.
	 */
	private static function class_of( $callback ) {
		if ( $callback instanceof \Closure ) {
			$scope = ( new \ReflectionFunction( $callback ) )->getClosureScopeClass();
			return null === $scope ? '' : $scope->getName();
		}
		$owner = is_array( $callback ) ? reset( $callback ) : $callback;
		return is_object( $owner ) ? get_class( $owner ) : ltrim( (string) strstr( "$owner::", '::', true ), '\\' );
	}
}
